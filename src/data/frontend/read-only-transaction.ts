/**
 * START TRANSACTION READ ONLY on a replica. The transaction stays there as long as its statements may; what needs
 * the primary moves it, which is invisible while it has read nothing, and refused once it has: the primary's
 * snapshot would be another one.
 */

import { Command, StatusFlag } from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { keptCopy } from '../../common/kept-copy.ts';
import { ER_OPTION_PREVENTS_STATEMENT } from '../../common/server-errno.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { HeldReplicaWait } from './held-replica-wait.ts';
import type { Session } from './session.ts';

const HELD = routeOf(RouteTarget.held, RouteReason.readOnlyTransaction);
const PRIMARY = routeOf(RouteTarget.primary, RouteReason.readOnlyTransaction);

const STAYS: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.commit,
  StatementKind.rollback,
  StatementKind.savepoint,
  StatementKind.use,
  StatementKind.write,
  StatementKind.set,
]);

export class ReadOnlyTransaction {
  readonly #session: Session;
  readonly #context: WorkerContext;
  #active = false;
  #reads = 0;
  readonly #wait: HeldReplicaWait;
  #begin = Buffer.alloc(0);
  /** The session has shown that its read-only transactions need the primary: they begin there from now on. */
  avoided = false;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
    this.#wait = new HeldReplicaWait(session, context);
  }

  /** A read-only transaction is open on a replica. */
  get active(): boolean {
    return this.#active;
  }

  begins(buffer: Buffer, start: number, end: number): void {
    this.#begin = keptCopy(buffer, start, end);
    this.#active = true;
    this.#reads = 0;
  }

  ended(): void {
    this.#active = false;
    this.#wait.cancel();
  }

  /** After each statement. */
  statementFinished(): void {
    if (!this.#active) return;
    const held = this.#session.run.held;
    const open = held !== null && (held.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0;
    if (!open || held.server.role === 'primary') this.#active = false;
  }

  /** Whether a statement may run inside of it, where it is. */
  admits(statement: StatementClass): boolean {
    if (statement.provenRead) {
      this.#reads++;
      return true;
    }
    // SET GLOBAL is meant for the primary.
    if (statement.kind === StatementKind.set && statement.mayWrite) return false;
    return STAYS.has(statement.kind) && statement.pins.length === 0 && statement.statementCount === 1;
  }

  /**
   * Whether the replica has what a read that it admits must see: a snapshot is of all tables, whatever it is that is read
   * first. If not, the read is sent on its way again, behind a wait, or a move to the primary.
   */
  sees(buffer: Buffer, start: number, end: number, plan: Plan): boolean {
    if (!plan.statement.provenRead) return true;
    const isEachFresh = this.#readsCommitted();
    if (this.#reads > 1 && !isEachFresh) return true;
    const need = this.#session.routing.needInTransaction(plan, !isEachFresh);
    if (need === 0) return true;
    let packet: Buffer | null = null;
    const isThere = this.#wait.has(need, (reached) => this.#waited(packet!, reached));
    if (!isThere) packet = Buffer.from(buffer.subarray(start, end));
    return isThere;
  }

  #waited(packet: Buffer, reached: boolean): void {
    this.#reads--;
    if (reached) {
      this.#session.commands.again(packet);
      return;
    }
    this.moveToPrimary((error) => {
      if (error === null) this.#session.commands.again(packet);
      else this.#session.refuse(error);
    });
  }

  /** On a read-only server a write fails for another reason than in the transaction: the client sees the latter. */
  readonly replaceError = (errno: number): ClientError | null => {
    if (errno !== ER_OPTION_PREVENTS_STATEMENT) return null;
    const end = this.#context.backends.dialect.flavor === 'mysql' ? '.' : '';
    return clientError('PROXY_READ_ONLY_TRANSACTION', { end });
  };

  /** The statement needs the primary, or ends the transaction by itself. */
  leave(buffer: Buffer, start: number, end: number, statement: StatementClass): void {
    const packet = Buffer.from(buffer.subarray(start, end));
    const again = (): void => this.#session.commands.again(packet);
    if (statement.transactionControl) {
      // It commits what is open; on the replica there is nothing to commit but the snapshot.
      this.#end('COMMIT', again);
      return;
    }
    this.moveToPrimary((error) => {
      if (error === null) again();
      else this.#session.refuse(error);
    });
  }

  /** Begins it again on the primary. */
  moveToPrimary(done: (error: ClientError | null) => void): void {
    this.avoided = true;
    if (this.#reads > 0 && !this.#readsCommitted()) {
      done(clientError('PROXY_READ_ONLY_MOVE', {}));
      return;
    }
    const begin = this.#begin;
    this.#end('ROLLBACK', () => {
      this.#session.runOwn(begin, PRIMARY, (errno) => {
        done(
          errno === 0
            ? null
            : (this.#session.run.lastError ?? clientError('PROXY_INTERNAL', { reason: `${errno}` })),
        );
      });
    });
  }

  #end(statement: string, then: () => void): void {
    this.#active = false;
    this.#session.runOwn(queryPayload(statement), HELD, () => then());
  }

  /** Each statement has its own snapshot then: reading on elsewhere is what the level allows. */
  #readsCommitted(): boolean {
    const level = this.#session.state.variables?.values.get('tx_isolation') ?? '';
    return level === 'READ-COMMITTED' || level === 'READ-UNCOMMITTED';
  }
}

function queryPayload(statement: string): Buffer {
  return Buffer.concat([Buffer.from([Command.COM_QUERY]), Buffer.from(statement)]);
}
