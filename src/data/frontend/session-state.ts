/**
 * What a client's session is, independent of any connection: variables, schema, status flags, pins. Kept by what
 * servers report in their OK packets.
 */

import {
  decodeSessionState,
  encodeSessionState,
  MalformedPacketError,
  type OkPacket,
  type SessionStateChange,
  SessionTrackType,
  StatusFlag,
} from '../../../protocol/index.ts';
import type { WorkerCounters } from '../../common/shared-counters.ts';
import { type LexicalContext, makeLexicalContext } from '../../sql/lexical-context.ts';
import { pinSlot } from '../../sql/route-reason.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { LeftBehind } from '../backend/check-in.ts';
import {
  canonicalVariableName,
  isOn,
  NAMES_COLLATION,
  type SessionVariables,
} from '../backend/session-variables.ts';
import { UserVariables } from '../backend/user-variables.ts';
import { policyOf, VariablePolicy } from '../backend/variable-policy.ts';
import { NamedPins } from './named-pins.ts';
import { RoutineReport } from './routine-report.ts';
import { SessionPins } from './session-pins.ts';

const VARIABLE_NAME = /^[a-z0-9_$.]+$/;

/** `session_track_system_variables` as MySQL and MariaDB have it by default. */
const DEFAULT_TRACKED: ReadonlySet<string> = new Set([
  'autocommit',
  'character_set_client',
  'character_set_connection',
  'character_set_results',
  'time_zone',
]);

/** What `mark` keeps: all that a session is when nothing binds it to a connection. */
export type SessionMark = Pick<
  SessionState,
  | 'variables'
  | 'schema'
  | 'statusFlags'
  | 'collationUnknown'
  | 'clientTracks'
  | 'idleTimeoutMs'
  | 'userVariables'
>;

const SET_TRANSACTION = 1 << pinSlot(PinReason.setTransaction);
/** Of the server's description of a transaction: a table without transactions has been written. */
const UNSAFE_WRITE = 3;

const routine = new RoutineReport();

export class SessionState {
  variables: SessionVariables | null = null;
  schema: string | null = null;
  statusFlags: number = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
  /** The server's COLLATE of the connection is not reported with SET NAMES: it has to be asked for. */
  collationUnknown = false;
  /** The client has set session_track_… itself, on a connection of its own: it gets what that server sends. */
  clientTracks = false;
  /** The last statement has set it; the run takes note. */
  lastInsertIdAssigned = false;
  /** Those whose values can be made again anywhere. */
  userVariables = UserVariables.none;
  /** What the last statement has set of them could be read. */
  userVariablesFollowed = false;
  /** What the pins stand for, by name. */
  readonly named = new NamedPins();
  readonly #pins: SessionPins;
  #context: LexicalContext | null = null;
  #contextOf: SessionVariables | null = null;

  /** @param counters where pins are counted, over all sessions. */
  constructor(counters: WorkerCounters | null = null) {
    this.#pins = new SessionPins(counters);
  }

  get inTransaction(): boolean {
    return (this.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0;
  }

  /** Without autocommit nobody is told when a transaction begins. */
  get mayBeInTransaction(): boolean {
    return this.inTransaction || (this.statusFlags & StatusFlag.SERVER_STATUS_AUTOCOMMIT) === 0;
  }

  /** `wait_timeout` as the session itself has set it, in milliseconds; null as long as it has not. */
  idleTimeoutMs: number | null = null;

  get pinned(): boolean {
    return this.#pins.bits !== 0;
  }

  /** A transaction is open, as far as anybody can know. */
  get mayBeOpen(): boolean {
    return this.mayBeInTransaction;
  }

  /** By more than what the next transaction is to be. */
  get isPinnedByMore(): boolean {
    return (this.#pins.bits & ~SET_TRANSACTION) !== 0;
  }

  /** As the server describes it, e.g. `T___W___`; empty where it has said nothing. */
  transactionState = '';

  /** Rows of a table without transactions have changed in the transaction that is open. */
  get hasUnsafeWrite(): boolean {
    return this.transactionState[UNSAFE_WRITE] === 'w';
  }

  /** For `restore`, when a transaction begins. */
  mark(): SessionMark {
    const { variables, schema, statusFlags, collationUnknown, clientTracks, idleTimeoutMs, userVariables } =
      this;
    return { variables, schema, statusFlags, collationUnknown, clientTracks, idleTimeoutMs, userVariables };
  }

  /** As it was then. It must not have been bound to its connection, and is not any more. */
  restore(mark: SessionMark): void {
    Object.assign(this, mark);
    this.transactionState = '';
    this.#pins.endAll();
    this.named.clear();
  }

  /** The server has rolled it back with its connection. */
  transactionLost(): void {
    this.statusFlags &= ~StatusFlag.SERVER_STATUS_IN_TRANS;
    this.transactionState = '';
    this.unpin(PinReason.setTransaction);
  }

  /** Pins and since when (milliseconds since the epoch). */
  get pins(): ReadonlyMap<PinReason, number> {
    return this.#pins.since;
  }

  /** The same reasons as bits (see `pinsOf`). */
  get pinBits(): number {
    return this.#pins.bits;
  }

  /** What stays on the session's connection when it lets go of it. */
  leftBehind(): LeftBehind {
    return {
      untracked: this.pinned,
      survivesReset: this.pins.has(PinReason.setRole) || this.pins.has(PinReason.xa),
      stateUnknown: this.collationUnknown,
    };
  }

  pin(reason: PinReason): void {
    this.#pins.start(reason);
  }

  unpin(reason: PinReason): void {
    this.#pins.end(reason);
  }

  /** The session has ended: it is not counted any more. */
  end(): void {
    this.#pins.endAll();
  }

  /** As a session that has just begun, or after COM_RESET_CONNECTION. */
  restart(variables: SessionVariables | null): void {
    this.variables = variables;
    this.statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
    this.collationUnknown = false;
    this.clientTracks = false;
    this.idleTimeoutMs = null;
    this.#pins.endAll();
    this.named.clear();
    this.userVariables = UserVariables.none;
  }

  /** The server's answer to what SET NAMES had left open. */
  collationKnown(collation: string): void {
    this.collationUnknown = false;
    if (this.variables === null) return;
    const entries: [string, string][] = [['collation_connection', collation]];
    // All character sets alike: it was SET NAMES, or as good as one.
    const { values } = this.variables;
    const client = values.get('character_set_client');
    if (client === values.get('character_set_results') && client === values.get('character_set_connection'))
      entries.push([NAMES_COLLATION, collation]);
    this.variables = this.variables.with(entries);
  }

  /** Values that no report has told, as the server gives them when it is asked. */
  variablesKnown(rows: readonly (readonly (string | null)[])[]): void {
    const values: [string, string][] = [];
    for (const [name, value] of rows) this.#variableChanged(name ?? '', value ?? '', values);
    if (values.length > 0 && this.variables !== null) this.variables = this.variables.with(values);
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

  /** `apply` for what is reported of nearly every write. @returns false if it is not that: then nothing was taken over. */
  applyRoutine(block: Buffer, start: number, end: number, statusFlags: number): boolean {
    if (this.clientTracks || !routine.read(block, start, end)) return false;
    if (routine.hasCharacteristics) this.#characterised(routine.isCharacterised, statusFlags);
    this.transactionState = routine.stateIn(block, this.transactionState);
    return true;
  }

  #characterised(isNext: boolean, statusFlags: number): void {
    const waits = (statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0;
    if (waits && isNext) this.pin(PinReason.setTransaction);
    else this.unpin(PinReason.setTransaction);
  }

  /**
   * Takes over what an OK packet reports.
   * @param explained the statement's class accounts for a bare "something changed".
   * @returns the block to send to a client that negotiated CLIENT_SESSION_TRACK, or null.
   */
  apply(ok: OkPacket, explained: boolean): Buffer | null {
    if (ok.sessionState === null) return null;
    if (this.clientTracks) return ok.sessionState;
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
        this.#characterised(change.characteristics !== '', ok.statusFlags);
      } else if (change.type === SessionTrackType.TRANSACTION_STATE) {
        this.transactionState = change.state;
      }
    }
    if (values.length > 0 && this.variables !== null) this.variables = this.variables.with(values);
    if (changed && !described && !explained) this.pin(PinReason.unexplainedStateChange);
    return this.#forClient(changes);
  }

  /** @returns whether the entry explains a "something changed" of the same packet. */
  #variableChanged(name: string, value: string, values: [string, string][]): boolean {
    const canonical = canonicalVariableName(name);
    // It will stand in a SET on other connections: nothing but a name may.
    if (!VARIABLE_NAME.test(canonical)) throw new MalformedPacketError('name of a system variable', 0);
    const policy = policyOf(canonical);
    if (policy === VariablePolicy.ignored) return false;
    if (policy === VariablePolicy.pins) {
      if (canonical === 'last_insert_id') this.lastInsertIdAssigned = true;
      this.pin(PinReason.unvirtualisedVariable);
      return true;
    }
    // Reads that look for NULL find what LAST_INSERT_ID() says then, and do not say that they ask for it.
    if (canonical === 'sql_auto_is_null' && isOn(value)) this.pin(PinReason.unvirtualisedVariable);
    if (canonical === 'wait_timeout') this.idleTimeoutMs = Number(value) * 1000;
    values.push([canonical, value]);
    if (canonical === 'character_set_connection') this.collationUnknown = true;
    else if (canonical === 'collation_connection') this.collationUnknown = false;
    return true;
  }

  /** A server tells these by default; who wants more sets session_track_… (see `clientTracks`). */
  #forClient(changes: readonly SessionStateChange[]): Buffer | null {
    const wanted = changes.filter(
      (change) =>
        change.type === SessionTrackType.SCHEMA ||
        (change.type === SessionTrackType.SYSTEM_VARIABLES && DEFAULT_TRACKED.has(change.name.toLowerCase())),
    );
    return wanted.length === 0 ? null : encodeSessionState(wanted);
  }
}
