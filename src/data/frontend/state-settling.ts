/**
 * What a statement has changed in its session and no report of the server tells: it is asked for on the same
 * connection, behind the client's statement, which has its answer by then.
 */

import { Command } from '../../../protocol/index.ts';
import { LockUse, PinReason, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { trackingStatement } from '../backend/connection-setup.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../backend/recording-reply.ts';
import { canonicalVariableName } from '../backend/session-variables.ts';
import type { Plan } from '../router/plan.ts';
import type { Residue } from './residue.ts';
import type { SessionState } from './session-state.ts';

export interface SettlingListener {
  /** A question is on its way: the connection is not free yet. */
  settling(): void;
  settled(connection: BackendConnection, succeeded: boolean): void;
  settlingLost(connection: BackendConnection, reason: string): void;
}

export class StateSettling {
  readonly #state: SessionState;
  readonly #listener: SettlingListener;
  readonly #residue: Residue;
  #usesLocks = false;

  constructor(state: SessionState, residue: Residue, listener: SettlingListener) {
    this.#state = state;
    this.#residue = residue;
    this.#listener = listener;
  }

  /** `settled` follows, at once where there is nothing to ask. @param plan null for a command that is no statement. */
  begin(connection: BackendConnection, plan: Plan | null, succeeded: boolean): void {
    this.#usesLocks = plan !== null && plan.statement.locks !== LockUse.none;
    if (plan?.touchesTracking === true && connection.tracksState && !this.#state.clientTracks) {
      this.#tracking(connection, plan, succeeded);
      return;
    }
    const unreported = plan?.statement.unreportedVariables ?? [];
    if (unreported.length > 0) this.#askVariables(connection, unreported, succeeded);
    else this.#askCollation(connection, succeeded, plan !== null);
  }

  #tracking(connection: BackendConnection, plan: Plan, succeeded: boolean): void {
    if (succeeded && plan.statement.kind === StatementKind.set) {
      // From here on the server reports what the client wants, and nothing that Sluice could follow.
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
      this.#listener.settled(connection, succeeded);
      return;
    }
    this.#ask(connection, probe, (rows) => {
      const held = rows[0]?.[0];
      if (held === '0') {
        this.#state.named.locksFreed();
        this.#state.unpin(PinReason.userLock);
      }
      this.#listener.settled(connection, succeeded);
    });
  }

  #ask(connection: BackendConnection, text: string, done: (rows: RecordedResult['rows']) => void): void {
    this.#listener.settling();
    this.#residue.spare(connection);
    const recorder = new RecordingReply(
      (_, result) => done(result.rows),
      (reason) => this.#listener.settlingLost(connection, reason),
    );
    connection.sendCommand(Command.COM_QUERY, text, ownReply(recorder));
  }
}
