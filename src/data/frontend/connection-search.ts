/**
 * Finds the backend connection for a statement: the held one, the one that knows what the statement asks about, or
 * one of the pool of a server that its route allows; waits for a connection, for a server, or for a moment, as long
 * as a statement may.
 *
 * | waiting for | meaning                                             | ends by                                 |
 * |-------------|-----------------------------------------------------|-----------------------------------------|
 * | nothing     | not searching                                       | `find`                                  |
 * | connection  | in a pool's wait queue                              | a connection, the pool's limit          |
 * | primary     | the primary cannot be had now (see `PrimaryWait`)   | that wait                               |
 * | replica     | none has what the read must see (`ReplicaWait`)     | one that has it, `causalReads.waitMs`   |
 * | retry       | the server could not be reached just now            | the retry timer                         |
 * | place       | all replicas lag, the primary is busy with reads    | a place, the limit of `LagPlace`        |
 * | residue     | what the last statement left is being read          | its answer                              |
 */

import { performance } from 'node:perf_hooks';
import type { ClientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import type { LastUser } from '../backend/last-user.ts';
import { type PoolFailure, PoolFailureKind, type PoolRequest } from '../backend/pool-request.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { AskedConnection } from './asked-connection.ts';
import { errorOfPoolFailure } from './client-errors.ts';
import type { ClientStatement } from './client-statement.ts';
import { LagPlace, type LagPlaceListener } from './lag-place.ts';
import { PrimaryWait, type PrimaryWaitListener } from './primary-wait.ts';
import { ReplicaWait } from './replica-wait.ts';
import type { Residue } from './residue.ts';
import type { SearchClient, SearchListener } from './search-client.ts';
import { ServerChoice } from './server-choice.ts';

/** Between two tries to reach the only server that will do. */
const RETRY_MS = 100;

/** ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, CR_AUTH_PLUGIN_ERR (needs more than is known). */
const CREDENTIALS_REFUSED: ReadonlySet<number> = new Set([1045, 1698, 2061]);

/** ER_DBACCESS_DENIED_ERROR, ER_BAD_DB_ERROR. */
const SCHEMA_REFUSED: ReadonlySet<number> = new Set([1044, 1049]);

/** ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN. */
const EXPIRED: ReadonlySet<number> = new Set([1820, 1862]);

const Waiting = {
  nothing: 'nothing',
  connection: 'connection',
  primary: 'primary',
  place: 'place',
  replica: 'replica',
  retry: 'retry',
  residue: 'residue',
} as const;
type Waiting = (typeof Waiting)[keyof typeof Waiting];

export class ConnectionSearch implements PoolRequest, PrimaryWaitListener, LagPlaceListener {
  readonly #client: SearchClient;
  readonly #context: WorkerContext;
  readonly #residue: Residue;
  readonly #listener: SearchListener;
  #waiting: Waiting = Waiting.nothing;
  #route: Route | null = null;
  #plan: Plan | null = null;
  #names: Plan | null = null;
  #pool: ServerPool | null = null;
  #held: BackendConnection | null = null;
  #statement: ClientStatement | null = null;
  /** What was found is where the statement before ran, which this one asks about. */
  wentBack = false;
  readonly choice: ServerChoice;
  readonly #asked: AskedConnection;
  /** Until when a server that cannot be reached is tried again; 0 before the first failure. */
  #retryUntil = 0;
  #isRefused = false;
  /** Of what is to be sent. */
  bytes = 0;
  readonly #primaryWait: PrimaryWait;
  readonly #lagPlace: LagPlace;
  readonly #replicaWait: ReplicaWait;
  readonly #retryTimer = new WheelTimer(() => this.#again(Waiting.retry));

  constructor(client: SearchClient, context: WorkerContext, residue: Residue, listener: SearchListener) {
    this.#client = client;
    this.#context = context;
    this.#residue = residue;
    this.#listener = listener;
    this.choice = new ServerChoice(client, context);
    this.#asked = new AskedConnection(client, context, residue, () => this.#residueRead());
    this.#replicaWait = new ReplicaWait(client, context, this.choice, () => this.#again(Waiting.replica));
    this.#primaryWait = new PrimaryWait(context, this);
    this.#lagPlace = new LagPlace(context, this);
  }

  // ---- PoolRequest

  get connectionKey(): ConnectionKey {
    return this.#client.connectionKey;
  }

  get collationId(): number {
    return this.#client.collationId;
  }

  get variables(): SessionVariables | null {
    return this.#client.state.variables;
  }

  get schema(): string | null {
    return this.#client.state.schema;
  }

  get lastUser(): LastUser {
    return this.#residue;
  }

  get lastConnection(): BackendConnection | null {
    return this.#residue.lastConnection;
  }

  /** Proven reads outside of transactions share connections, as far as their digest allows. */
  get batchDepth(): number {
    const isRead = this.choice.wasRead && this.#plan?.statement.provenRead === true;
    if (!isRead || this.#statement?.wantsOwn === true) return 0;
    // What becomes of a list of warnings is to be seen only on a connection that nobody else uses meanwhile.
    return this.#residue.diagnostics.isEmpty ? this.#plan!.batchDepth : 0;
  }

  // ---- searching

  /**
   * @param held the connection of the session's transaction or pin, where the route says so.
   * @param plan null for commands that are no statements.
   * @param statement what is executed, if it is a prepared statement.
   * @param names the plan, or that of the statement that is being prepared: it reads variables as well.
   */
  begin(
    route: Route,
    plan: Plan | null,
    held: BackendConnection | null,
    statement: ClientStatement | null,
    names: Plan | null,
  ): void {
    this.#statement = statement;
    this.#held = route.target === RouteTarget.held ? held : null;
    this.#route = route;
    this.#plan = plan;
    this.#names = names;
    this.choice.begin(route);
    this.#lagPlace.leave();
    this.wentBack = false;
    this.#replicaWait.begin();
    this.#retryUntil = 0;
    this.#primaryWait.begin();
    this.#isRefused = false;
  }

  /** What the command in `buffer[start, end)` asks of a replica, and what it is kept together with. */
  readKey(buffer: Buffer | null, start: number, end: number): void {
    this.choice.readKey(buffer, start, end, this.#plan, this.#statement);
  }

  /** @returns null if it takes time: then the listener is told. */
  find(): BackendConnection | null {
    this.#waiting = Waiting.nothing;
    if (this.#waitsForResidue(this.#held)) return null;
    if (this.#held !== null) return this.#asFound(this.#held);
    const { backends } = this.#context;
    const isHeldBack = backends.writes.isHeld && !this.isPlainRead;
    const back = isHeldBack ? null : this.#goBack();
    this.wentBack = back !== null;
    if (back !== null) return this.#asFound(back);
    const pool = this.choice.choose();
    if (pool === backends.primary && this.#replicaWait.waits()) {
      this.#waiting = Waiting.replica;
      return null;
    }
    const { readers, writer } = this.#client.routing.destination;
    if (isHeldBack && (pool === null || pool === backends.primary)) {
      this.#waitOnPrimary().forRelease(this.bytes);
      return null;
    }
    if (pool === null) {
      this.#waitOnPrimary().forServer(this.bytes, writer);
      return null;
    }
    if (this.#isRefused) {
      this.#waitOnPrimary().forHeir(this.bytes);
      return null;
    }
    if (this.choice.isLagFallback && !this.#lagPlace.take(readers ?? this.choice.hostgroup)) {
      this.#waiting = Waiting.place;
      return null;
    }
    if (this.#context.replays.isAny && pool === backends.primary && this.#letsReplaysPass()) {
      this.#waiting = Waiting.primary;
      return null;
    }
    this.#pool = pool;
    const connection = pool.checkOut(this);
    if (connection === null) this.#waiting = Waiting.connection;
    return connection;
  }

  #waitOnPrimary(): PrimaryWait {
    this.#isRefused = false;
    this.#waiting = Waiting.primary;
    return this.#primaryWait;
  }

  #asFound(connection: BackendConnection): BackendConnection {
    const { role, hostgroup } = connection.server;
    this.choice.found(role, hostgroup);
    return connection;
  }

  cancel(): void {
    this.#waiting = Waiting.nothing;
    this.#primaryWait.end();
    this.#lagPlace.leave();
    this.#replicaWait.cancel();
    this.#context.wheel.cancel(this.#retryTimer);
    this.#pool?.cancel(this);
  }

  /** What only another connection knows is read from there first. */
  #waitsForResidue(held: BackendConnection | null): boolean {
    const statement = this.#plan?.statement;
    if (statement === undefined) return false;
    if (!this.#asked.fetches(statement, held)) return false;
    this.#waiting = Waiting.residue;
    return true;
  }

  #goBack(): BackendConnection | null {
    const statement = this.#plan?.statement;
    return statement === undefined ? null : this.#asked.goBack(statement);
  }

  /** Where what the statement asks about is known, and it can run. */
  wanted(statement: StatementClass): BackendConnection | null {
    return this.#asked.wanted(statement);
  }

  /** The statement has ended. */
  ended(): void {
    this.#lagPlace.leave();
  }

  placeGranted(): void {
    this.#again(Waiting.place);
  }

  placeRefused(error: ClientError): void {
    if (this.#waiting !== Waiting.place) return;
    this.#waiting = Waiting.nothing;
    this.#listener.searchFailed(error);
  }

  /** A connection has been found. @returns no replica has what the read must see. */
  placed(connection: BackendConnection): boolean {
    if (!this.choice.wasRead) return false;
    this.#client.routing.placed(connection.server.role === 'primary');
    return this.#replicaWait.placed();
  }

  #residueRead(): void {
    if (this.#waiting !== Waiting.residue) return;
    this.#waiting = Waiting.nothing;
    this.#listener.residueRead();
  }

  #again(waitedFor: Waiting): void {
    if (this.#waiting !== waitedFor) return;
    const connection = this.find();
    if (connection !== null) this.#listener.connectionFound(connection);
  }

  /** It begins nothing on the primary that a change of the primary would have to wait for. */
  get isPlainRead(): boolean {
    const { state } = this.#client;
    const { autocommit = true } = state.variables ?? {};
    const wantsOwn = state.pinned || this.#statement?.wantsOwn === true;
    return this.#plan?.statement.provenRead === true && autocommit && !wantsOwn;
  }

  #letsReplaysPass(): boolean {
    if (this.isPlainRead || this.#route?.reason === RouteReason.replay) return false;
    return this.#primaryWait.forReplays(this.bytes);
  }

  /** Writes are held from now on: what waits for a connection to begin something has not begun. */
  holdBack(): void {
    if (this.#waiting !== Waiting.connection || this.#pool !== this.#context.backends.primary) return;
    if (this.isPlainRead) return;
    this.#pool?.cancel(this);
    this.#waiting = Waiting.primary;
    this.#primaryWait.forRelease(this.bytes);
  }

  /** The primary has refused to write: from the next `find` on it is asked again, or another one, after a while. */
  refusedByPrimary(): void {
    this.#isRefused = true;
  }

  primaryMayBeThere(): void {
    this.#again(Waiting.primary);
  }

  primaryWaitFailed(error: ClientError): void {
    if (this.#waiting !== Waiting.primary) return;
    this.#waiting = Waiting.nothing;
    this.#listener.searchFailed(error);
  }

  refuses(connection: BackendConnection): boolean {
    const names = this.#names?.statement;
    return names !== undefined && this.#asked.refuses(names, connection);
  }

  hasStatement(connection: BackendConnection): boolean {
    return this.#statement === null || this.#statement.isReadyOn(connection);
  }

  connectionAvailable(connection: BackendConnection): void {
    this.#waiting = Waiting.nothing;
    this.#listener.connectionFound(connection);
  }

  connectionUnavailable(failure: PoolFailure): void {
    if (this.#waiting !== Waiting.connection) return;
    this.#waiting = Waiting.nothing;
    if (failure.kind === PoolFailureKind.moved) {
      this.choice.rolesChanged();
      this.#searchAgain();
      return;
    }
    if (failure.kind === PoolFailureKind.unreachable && this.#retryLater()) return;
    if (failure.kind === PoolFailureKind.refused && this.#otherwise(failure.refusal?.errno ?? 0)) return;
    this.#listener.searchFailed(errorOfPoolFailure(failure, this.#context.snapshot, this.#client.username));
  }

  /**
   * The password was changed since the login, or the change has not reached this replica yet; or the schema has not.
   * @returns false if nothing else can be tried.
   */
  #otherwise(errno: number): boolean {
    if (EXPIRED.has(errno)) {
      if (this.variables !== null || !this.#client.confine()) return false;
      this.#searchAgain();
      return true;
    }
    const isSchema = SCHEMA_REFUSED.has(errno);
    if (!CREDENTIALS_REFUSED.has(errno) && !isSchema) return false;
    const isReplica = this.#pool !== this.#context.backends.primary;
    if (isSchema || !this.#client.takeNewerCredentials()) {
      if (!isReplica || this.choice.isPrimaryOnly) return false;
      this.choice.primaryOnly();
    }
    this.#searchAgain();
    return true;
  }

  #searchAgain(): void {
    this.#waiting = Waiting.retry;
    this.#again(Waiting.retry);
  }

  /**
   * A server that cannot be reached is being shunned: a read goes to another at once, anything else waits for it, or
   * for a new primary, as long as a statement may wait for a server at all.
   * @returns false when that time is over.
   */
  #retryLater(): boolean {
    const now = performance.now();
    if (this.#retryUntil === 0)
      this.#retryUntil = now + this.#context.snapshot.settings.limits.noServerWaitMs;
    if (now >= this.#retryUntil) return false;
    this.#context.counters.add(WorkerCounter.retries);
    this.#waiting = Waiting.retry;
    const wasRead = this.choice.isRead;
    if (wasRead) this.choice.unreachable(this.#pool);
    this.#context.wheel.arm(this.#retryTimer, wasRead ? 1 : RETRY_MS);
    return true;
  }
}
