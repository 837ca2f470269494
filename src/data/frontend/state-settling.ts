/**
 * What a statement has changed in its session and no report of the server tells: it is asked for on the same
 * connection, behind the client's statement, which has its answer by then.
 */

import {
  Command,
  decodeColumnDefinition41,
  hasCapability,
  MariadbCapability,
} from '../../../protocol/index.ts';
import { PASSWORD_COMMANDS } from '../../sql/password-statement.ts';
import { LockUse, PinReason, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { trackingStatement } from '../backend/connection-setup.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../backend/recording-reply.ts';
import { canonicalVariableName } from '../backend/session-variables.ts';
import { expressionOf, PLAIN_NULL, questionsFor } from '../backend/user-variables.ts';
import type { Plan } from '../router/plan.ts';
import type { Residue } from './residue.ts';
import type { SessionState } from './session-state.ts';

export interface SettlingListener {
  /** A question is on its way: the connection is not free yet. */
  settling(): void;
  settled(connection: BackendConnection, succeeded: boolean): void;
  settlingLost(connection: BackendConnection, reason: string): void;
}

/** More variables than this at once are not followed. */
const MAX_ASKED = 32;
/** How servers describe a variable that has never been set: one byte more than any other. */
const UNSET_LENGTH = 16_777_216;

/** Results may be in ucs2. */
function plain(value: string | null): string | null {
  return value === null ? null : value.replaceAll('\0', '');
}

export class StateSettling {
  readonly #state: SessionState;
  readonly #listener: SettlingListener;
  readonly #residue: Residue;
  #usesLocks = false;
  #assigned: readonly string[] = [];

  constructor(state: SessionState, residue: Residue, listener: SettlingListener) {
    this.#state = state;
    this.#residue = residue;
    this.#listener = listener;
  }

  /** `settled` follows, at once where there is nothing to ask. @param plan null for a command that is no statement. */
  begin(connection: BackendConnection, plan: Plan | null, succeeded: boolean): void {
    this.#usesLocks = plan !== null && plan.statement.locks !== LockUse.none;
    this.#state.userVariablesFollowed = false;
    const assigns = plan?.statement.pins.includes(PinReason.userVariable) === true;
    // A SET that fails has set nothing.
    const mayHave = succeeded || plan?.statement.kind !== StatementKind.set;
    this.#assigned = assigns && mayHave ? (plan?.statement.userVariables ?? []) : [];
    if (connection.confined) {
      // Nothing else can be asked.
      const mayHaveEnded = succeeded && PASSWORD_COMMANDS.has(plan?.statement.command ?? '');
      if (mayHaveEnded) this.#tryConfinement(connection);
      else this.#listener.settled(connection, succeeded);
      return;
    }
    if (plan?.touchesTracking === true && connection.tracksState && !this.#state.clientTracks) {
      this.#tracking(connection, plan, succeeded);
      return;
    }
    const unreported = plan?.statement.unreportedVariables ?? [];
    if (unreported.length > 0) this.#askVariables(connection, unreported, succeeded);
    else this.#askCollation(connection, succeeded, plan !== null);
  }

  #tryConfinement(connection: BackendConnection): void {
    this.#listener.settling();
    const done = (): void => {
      this.#state.variables = connection.variables;
      this.#state.schema = connection.schema;
      if (!connection.confined) this.#state.collationUnknown = false;
      this.#listener.settled(connection, true);
    };
    connection.upkeep.tryConfinement(done, (reason) => this.#listener.settlingLost(connection, reason));
  }

  #tracking(connection: BackendConnection, plan: Plan, succeeded: boolean): void {
    const { kind, statementCount } = plan.statement;
    if (statementCount > 1 || (succeeded && kind === StatementKind.set)) {
      // From here on the server reports what the client wants, and nothing that Sluice could follow. Of several
      // statements nobody knows what they have changed while it reported nothing.
      this.#state.clientTracks = true;
      this.#state.pin(PinReason.unvirtualisedVariable);
      this.#listener.settled(connection, succeeded);
      return;
    }
    const text = trackingStatement(connection.server.flavor, true, this.#state.mayBeInTransaction);
    this.#ask(connection, text, () => this.#listener.settled(connection, succeeded));
  }

  #askVariables(connection: BackendConnection, names: readonly string[], succeeded: boolean): void {
    const list = names.map((name) => `'${name.replaceAll(/[^a-z0-9_]/g, '')}'`).join(',');
    const text = succeeded
      ? `SHOW SESSION VARIABLES WHERE Variable_name IN (${list})`
      : `SELECT LOWER(VARIABLE_NAME), SESSION_VALUE, GLOBAL_VALUE FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN (${list})`;
    this.#ask(connection, text, (rows) => {
      this.#state.variablesKnown(succeeded ? rows : rows.filter((row) => this.#mayBeSet(row)));
      connection.variables = this.#state.variables;
      this.#askCollation(connection, succeeded, true);
    });
  }

  /**
   * After a SET that failed, though it may have been one of several statements that did not: what cannot be set, and
   * what the user may not set, must not be carried to another connection.
   */
  #mayBeSet([name, value, globalValue]: RecordedResult['rows'][number]): boolean {
    return (
      this.#state.variables?.values.has(canonicalVariableName(name ?? '')) === true || value !== globalValue
    );
  }

  /** SET NAMES does not report the collation that it brings; the next connection needs it. */
  #askCollation(connection: BackendConnection, succeeded: boolean, isStatement: boolean): void {
    if (!this.#state.collationUnknown || !isStatement) {
      this.#askLocks(connection, succeeded);
      return;
    }
    this.#ask(connection, 'SELECT @@session.collation_connection', (rows) => {
      const collation = rows[0]?.[0];
      if (typeof collation === 'string') this.#state.collationKnown(collation);
      connection.variables = this.#state.variables;
      this.#askLocks(connection, succeeded);
    });
  }

  /** What GET_LOCK and RELEASE_LOCK have come to stands in rows, which are not looked at. */
  #askLocks(connection: BackendConnection, succeeded: boolean): void {
    const probe = this.#usesLocks ? this.#state.named.lockProbe : null;
    if (probe === null) {
      this.#askUserVariables(connection, succeeded);
      return;
    }
    this.#ask(connection, probe, (rows) => {
      const held = rows[0]?.[0];
      if (held === '0') {
        this.#state.named.locksFreed();
        this.#state.unpin(PinReason.userLock);
      }
      this.#askUserVariables(connection, succeeded);
    });
  }

  /** Their values, whatever has set them, with all that makes the same values elsewhere. */
  #askUserVariables(connection: BackendConnection, succeeded: boolean): void {
    const names = this.#assigned;
    const state = this.#state;
    state.userVariablesFollowed = false;
    if (names.length === 0 || names.length > MAX_ASKED || state.pins.has(PinReason.userVariable)) {
      this.#listener.settled(connection, succeeded);
      return;
    }
    const [types, values] = questionsFor(names);
    let columns: readonly Buffer[] = [];
    this.#askFor(connection, types, (result) => {
      columns = result.errno === 0 ? result.columns : [];
    });
    this.#askFor(connection, values, ({ rows }) => {
      state.userVariablesFollowed = this.#takeOver(connection, names, columns, rows[0] ?? []);
      this.#listener.settled(connection, succeeded);
    });
  }

  /** @returns false if a value cannot be made again. */
  #takeOver(
    connection: BackendConnection,
    names: readonly string[],
    columns: readonly Buffer[],
    row: readonly (string | null)[],
  ): boolean {
    const state = this.#state;
    const changes: [string, string][] = [];
    const { mariadbFlags } = connection.key;
    const extendedMetadata = hasCapability(mariadbFlags, MariadbCapability.MARIADB_CLIENT_EXTENDED_METADATA);
    for (const [index, name] of names.entries()) {
      const column = columns[index];
      if (column === undefined) return false;
      const { type, flags, columnLength } = decodeColumnDefinition41(column, { extendedMetadata });
      const [isLong, collation, hex, text] = row.slice(index * 4, index * 4 + 4).map(plain);
      // It has never been set, and still is not.
      if (hex === null && columnLength === UNSET_LENGTH) continue;
      if (isLong === '1') return false;
      const answer = { type, flags, collation: collation ?? '', hex: hex ?? null, text: text ?? null };
      const expression = expressionOf(answer);
      if (expression === null) return false;
      // NULL has the type of what was there before, which may have been somebody else's.
      const isStrange = hex === null && !state.userVariables.has(name) && connection.userVariables.has(name);
      changes.push([name, isStrange ? PLAIN_NULL : expression]);
    }
    const variables = state.userVariables.with(changes);
    if (variables.isTooLong) return false;
    const hasStrange = changes.some(([, value]) => value === PLAIN_NULL);
    const isInLine = connection.userVariables === state.userVariables && !hasStrange;
    connection.userVariables = isInLine
      ? variables
      : connection.userVariables.with(
          changes.map(([name, value]) => [name, value === PLAIN_NULL ? 'other' : value]),
        );
    state.userVariables = variables;
    return true;
  }

  #ask(connection: BackendConnection, text: string, done: (rows: RecordedResult['rows']) => void): void {
    this.#askFor(connection, text, ({ rows, errno }) => {
      // What has changed nobody knows: it must stay where it is.
      if (errno !== 0) this.#state.pin(PinReason.unexplainedStateChange);
      done(rows);
    });
  }

  #askFor(connection: BackendConnection, text: string, done: (result: RecordedResult) => void): void {
    this.#listener.settling();
    this.#residue.spare(connection);
    const recorder = new RecordingReply(
      (_, result) => done(result),
      (reason) => this.#listener.settlingLost(connection, reason),
    );
    connection.sendCommand(Command.COM_QUERY, text, ownReply(recorder));
  }
}
