/**
 * What a statement means for its session and for the others once it has run: pins, and views and accounts that may be
 * others now.
 */

import { ER_PARSE_ERROR, ER_UNKNOWN_STMT_HANDLER } from '../../common/server-errno.ts';
import { Gauge } from '../../common/shared-counters.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { PASSWORD_COMMANDS, type PasswordChange, parsePasswordChange } from '../../sql/password-statement.ts';
import { LockUse, PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { CommandRouting } from './command-routing.ts';
import type { SessionState } from './session-state.ts';

/** `multiplex` of a query rule: the session goes on sharing connections whatever the statement may leave behind. */
const IN_SPITE_OF_IT = 2;
/** Of a server that does not report its sessions' state, only these are known not to change it, besides reads. */
const STATELESS: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.begin,
  StatementKind.commit,
  StatementKind.rollback,
  StatementKind.savepoint,
  StatementKind.empty,
]);

/** Of statements that change definitions, those about who may log in. */
const CHANGES_ACCOUNTS = /^(?:GRANT|REVOKE)(?:_|$)|_(?:USER|ROLE)$|^SET_PASSWORD$|^FLUSH$/;

/** What is known of the tables holds no longer when views may be others, so that one of the two is enough. */
function epochOf({ changesViews, changesRelations }: StatementClass): number | null {
  if (changesViews) return Gauge.viewsEpoch;
  return changesRelations ? Gauge.relationsEpoch : null;
}

function changesAccounts(statement: StatementClass): boolean {
  return statement.kind === StatementKind.ddl && CHANGES_ACCOUNTS.test(statement.command);
}

export interface AftermathClient {
  readonly state: SessionState;
  readonly username: string;
  passwordChanged(change: PasswordChange): void;
  readonly routing: Pick<CommandRouting, 'verdict'>;
}

export class Aftermath {
  readonly #context: WorkerContext;
  readonly #client: AftermathClient;
  readonly #state: SessionState;
  #wasPinned = false;
  /** A rule vouches for the routine that the statement has called; nobody else gets the connection as it is. */
  isSuspect = false;
  /** The epoch of what the statement that has started and not ended may change of the schema. */
  #changing: number | null = null;
  #changingAccounts = false;
  /** What the statement that runs sets, if it shows it. */
  #newPassword: PasswordChange | null = null;

  constructor(context: WorkerContext, client: AftermathClient) {
    this.#context = context;
    this.#client = client;
    this.#state = client.state;
  }

  /** @param buffer its bytes from `start` to `end`, null where they are not those of a statement. */
  begins(statement: StatementClass | undefined, buffer: Buffer | null, start: number, end: number): void {
    this.isSuspect = false;
    // Of one that nobody has heard the end of.
    if (this.#changing !== null) this.settled(undefined, 0);
    if (statement === undefined) return;
    if (statement.named !== null || statement.locks !== LockUse.none) {
      const context = this.#lexicalContext();
      this.#state.named.begins(statement, buffer, start, end, context, this.#context.plans);
    }
    if (changesAccounts(statement)) {
      const context = PASSWORD_COMMANDS.has(statement.command) ? this.#lexicalContext() : null;
      if (buffer !== null && context !== null)
        this.#newPassword = parsePasswordChange(buffer, start, end, context);
      this.#changingAccounts = true;
      this.#context.shared.addGauge(Gauge.accountsEpoch, 1);
    }
    this.#changing = epochOf(statement);
    if (this.#changing === null) return;
    this.#context.marks.schemaChanges();
    this.#context.shared.addGauge(this.#changing, 1);
  }

  #lexicalContext(): LexicalContext | null {
    const { flavor, versionId } = this.#context.backends.dialect;
    return this.#state.lexicalContext(flavor, versionId);
  }

  /** The connection is still the session's. @param statement undefined for a command that is no statement. */
  ends(
    connection: BackendConnection,
    statement: StatementClass | undefined,
    errno: number,
    succeeded: boolean,
  ): void {
    if (this.#newPassword !== null && succeeded) this.#client.passwordChanged(this.#newPassword);
    this.settled(statement, errno);
    if (statement !== undefined) this.#pin(connection, statement, errno, succeeded);
    const isStateless = statement !== undefined && (statement.provenRead || STATELESS.has(statement.kind));
    if (!connection.tracksState && !isStateless) this.#state.pin(PinReason.untrackedSet);
    this.#logPin(this.#state.pinned);
  }

  /** The statement has ended, or is given up: whether it succeeded or not, part of it may have. */
  settled(statement: StatementClass | undefined, errno: number): void {
    this.#newPassword = null;
    if (this.#changingAccounts) {
      this.#changingAccounts = false;
      this.#context.shared.addGauge(Gauge.accountsEpoch, 1);
      this.#context.post({ type: 'accountsWanted' });
    }
    const epoch = this.#changing;
    if (epoch === null) return;
    this.#changing = null;
    // What does not parse has done nothing; else the catalogue is out of date until it is read again.
    const nothingRan = errno === ER_PARSE_ERROR && statement?.statementCount === 1;
    this.#context.shared.addGauge(epoch, nothingRan ? -1 : 1);
    this.#context.marks.schemaChanged();
    this.#context.post({ type: 'viewsChanged' });
  }

  #logPin(pinned: boolean): void {
    if (pinned === this.#wasPinned) return;
    this.#wasPinned = pinned;
    const reasons = [...this.#state.pins.keys()];
    if (pinned) this.#context.log('debug', 'session is pinned', { user: this.#client.username, reasons });
  }

  #pin(connection: BackendConnection, statement: StatementClass, errno: number, succeeded: boolean): void {
    const state = this.#state;
    // Nothing has run.
    if (errno === ER_UNKNOWN_STMT_HANDLER && statement.command === 'EXECUTE') return;
    for (const reason of statement.pins) {
      // Where the server reports it, its reports begin and end it.
      if (reason === PinReason.storedRoutine && this.#client.routing.verdict.multiplex === IN_SPITE_OF_IT) {
        this.isSuspect = true;
        continue;
      }
      if (reason === PinReason.setTransaction && connection.tracksState) continue;
      if (reason === PinReason.userLock && !state.named.mayHoldLocks) continue;
      if (reason === PinReason.userVariable && state.userVariablesFollowed) continue;
      // A routine that fails half-way has done what it had done before.
      if (succeeded || reason === PinReason.storedRoutine || statement.statementCount > 1) state.pin(reason);
    }
    const isPlain =
      statement.pins.length === 0 && statement.releases.length === 0 && statement.named === null;
    if (isPlain && statement.locks === LockUse.none) return;
    for (const reason of state.named.ends(statement, succeeded ? 0 : errno, state.schema))
      state.unpin(reason);
  }
}
