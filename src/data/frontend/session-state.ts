/**
 * What a client's session is, independent of any connection: variables, schema, status flags, pins. Kept by what
 * servers report in their OK packets.
 */

import {
  decodeSessionState,
  encodeSessionState,
  type OkPacket,
  type SessionStateChange,
  SessionTrackType,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type LexicalContext, makeLexicalContext } from '../../sql/lexical-context.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { LeftBehind } from '../backend/server-pool.ts';
import { canonicalVariableName, isOn, type SessionVariables } from '../backend/session-variables.ts';
import { policyOf, VariablePolicy } from '../backend/variable-policy.ts';

/** What the client wants to be told, as a server's defaults have it until the client says otherwise. */
interface ClientTracking {
  variables: ReadonlySet<string> | 'all';
  schema: boolean;
  stateChange: boolean;
  transactionInfo: boolean;
  gtids: boolean;
}

/** `session_track_system_variables` as MySQL and MariaDB have it by default. */
const DEFAULT_TRACKED: ReadonlySet<string> = new Set([
  'autocommit',
  'character_set_client',
  'character_set_connection',
  'character_set_results',
  'time_zone',
]);

export class SessionState {
  variables: SessionVariables | null = null;
  schema: string | null = null;
  statusFlags: number = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
  /** The server's COLLATE of the connection is not reported with SET NAMES: it has to be asked for. */
  collationUnknown = false;
  /** A `SET TRANSACTION` waits for its transaction. */
  transactionPending = false;
  readonly #pins = new Map<PinReason, number>();
  #tracking: ClientTracking = defaultTracking();
  #context: LexicalContext | null = null;
  #contextOf: SessionVariables | null = null;

  get inTransaction(): boolean {
    return (this.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0;
  }

  get pinned(): boolean {
    return this.#pins.size > 0 || this.transactionPending;
  }

  /** Pins and since when (milliseconds since the epoch). */
  get pins(): ReadonlyMap<PinReason, number> {
    return this.#pins;
  }

  /** What stays on the session's connection when it lets go of it. */
  leftBehind(): LeftBehind {
    return {
      untracked: this.pinned,
      survivesReset: this.#pins.has(PinReason.setRole) || this.#pins.has(PinReason.xa),
      stateUnknown: this.collationUnknown,
    };
  }

  pin(reason: PinReason): void {
    if (!this.#pins.has(reason)) this.#pins.set(reason, Date.now());
  }

  unpin(reason: PinReason): void {
    this.#pins.delete(reason);
  }

  /** As a session that has just begun, or after COM_RESET_CONNECTION. */
  restart(variables: SessionVariables | null): void {
    this.variables = variables;
    this.statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
    this.collationUnknown = false;
    this.transactionPending = false;
    this.#pins.clear();
    this.#tracking = defaultTracking();
  }

  /** How the client's bytes are to be read. */
  lexicalContext(flavor: 'mysql' | 'mariadb', versionId: number): LexicalContext | null {
    const variables = this.variables;
    if (variables === null) return null;
    if (this.#contextOf !== variables || this.#context === null) {
      this.#context = makeLexicalContext({
        charset: variables.characterSetClient,
        sqlMode: variables.sqlMode,
        flavor,
        versionId,
      });
      this.#contextOf = variables;
    }
    return this.#context;
  }

  /**
   * Takes over what an OK packet reports.
   * @param explained the statement's class accounts for a bare "something changed".
   * @returns the block to send to a client that negotiated CLIENT_SESSION_TRACK, or null.
   */
  apply(ok: OkPacket, explained: boolean): Buffer | null {
    if (ok.sessionState === null) return null;
    const changes = decodeSessionState(ok.sessionState);
    const values: [string, string][] = [];
    let described = false;
    let changed = false;
    for (const change of changes) {
      if (change.type === SessionTrackType.SYSTEM_VARIABLES) {
        described = this.#variableChanged(change.name, change.value, values) || described;
      } else if (change.type === SessionTrackType.SCHEMA) {
        described = true;
        this.schema = change.schema === '' ? null : change.schema;
      } else if (change.type === SessionTrackType.STATE_CHANGE) {
        changed = changed || change.value === '1';
      } else if (change.type === SessionTrackType.TRANSACTION_CHARACTERISTICS) {
        const waits = (ok.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0;
        this.transactionPending = waits && change.characteristics !== '';
      }
    }
    if (values.length > 0 && this.variables !== null) this.variables = this.variables.with(values);
    if (changed && !described && !explained) this.pin(PinReason.unexplainedStateChange);
    return this.#forClient(changes);
  }

  /** @returns whether the entry explains a "something changed" of the same packet. */
  #variableChanged(name: string, value: string, values: [string, string][]): boolean {
    const canonical = canonicalVariableName(name);
    const policy = policyOf(canonical);
    if (canonical.startsWith('session_track_')) this.#trackingChanged(canonical, value);
    if (policy === VariablePolicy.ignored) return false;
    if (policy === VariablePolicy.pins) {
      this.pin(PinReason.unvirtualisedVariable);
      return true;
    }
    values.push([canonical, value]);
    if (canonical === 'character_set_connection') this.collationUnknown = true;
    else if (canonical === 'collation_connection') this.collationUnknown = false;
    return true;
  }

  #trackingChanged(name: string, value: string): void {
    const tracking = this.#tracking;
    if (name === 'session_track_system_variables')
      tracking.variables =
        value === '*' ? 'all' : new Set(value.split(',').map((part) => part.trim().toLowerCase()));
    else if (name === 'session_track_schema') tracking.schema = isOn(value);
    else if (name === 'session_track_state_change') tracking.stateChange = isOn(value);
    else if (name === 'session_track_transaction_info') tracking.transactionInfo = value !== 'OFF';
    else if (name === 'session_track_gtids') tracking.gtids = value !== 'OFF';
  }

  #forClient(changes: readonly SessionStateChange[]): Buffer | null {
    const wanted = changes.filter((change) => this.#wants(change));
    return wanted.length === 0 ? null : encodeSessionState(wanted);
  }

  #wants(change: SessionStateChange): boolean {
    const tracking = this.#tracking;
    switch (change.type) {
      case SessionTrackType.SYSTEM_VARIABLES:
        return tracking.variables === 'all' || tracking.variables.has(change.name.toLowerCase());
      case SessionTrackType.SCHEMA:
        return tracking.schema;
      case SessionTrackType.STATE_CHANGE:
        return tracking.stateChange;
      case SessionTrackType.GTIDS:
        return tracking.gtids;
      default:
        return tracking.transactionInfo;
    }
  }
}

function defaultTracking(): ClientTracking {
  return {
    variables: DEFAULT_TRACKED,
    schema: true,
    stateChange: false,
    transactionInfo: false,
    gtids: false,
  };
}
