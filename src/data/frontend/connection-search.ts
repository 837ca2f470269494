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
 * | replica     | none has what the read must see (`ReplicaWaits`)    | one that has it, `causalReads.waitMs`   |
 * | retry       | the server could not be reached just now            | the retry timer                         |
 * | place       | all replicas lag, the primary is busy with reads    | a place, the limit of `LagPlace`        |
 * | residue     | what the last statement left is being read          | its answer                              |
 */

import type { ClientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import { HashKey } from '../../topology/balancing.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { StatementNeeds } from '../backend/balancing/read-needs.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import type { LastUser } from '../backend/last-user.ts';
import { type PoolFailure, PoolFailureKind, type PoolRequest } from '../backend/pool-request.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import type { WaitingRead } from '../causal/server-waits.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { errorOfPoolFailure } from './client-errors.ts';
import type { ClientStatement } from './client-statement.ts';
import type { CommandRouting } from './command-routing.ts';
import { lagLimitOf } from './lag-limit.ts';
import { LagPlace, type LagPlaceListener } from './lag-place.ts';
import { PrimaryWait, type PrimaryWaitListener } from './primary-wait.ts';
import { affinityOf } from './read-affinity.ts';
import type { Residue } from './residue.ts';
import type { SessionState } from './session-state.ts';

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

export function usesResidue({ residue }: StatementClass): boolean {
  return residue.lastInsertId || residue.diagnostics || residue.foundRows || residue.rowCount;
}

export interface SearchClient {
  readonly state: SessionState;
  readonly username: string;
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  /** @returns true if `connectionKey` is another one now, with credentials that a server may accept. */
  takeNewerCredentials(): boolean;
  /** The password has expired. @returns true if `connectionKey` is one for that now. */
  confine(): boolean;
  /** @param changed the password is another one now; else it has not expired after all. */
  confinementEnded(changed: boolean): void;
  readonly routing: CommandRouting;
}

export interface SearchListener {
  /** Only after `find` has returned null. */
  connectionFound(connection: BackendConnection): void;
  /** What the statement asks about has been read: the search begins anew. */
  residueRead(): void;
  searchFailed(error: ClientError): void;
}

export class ConnectionSearch implements PoolRequest, WaitingRead, PrimaryWaitListener, LagPlaceListener {
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
  /** What the statement asks of a replica: filled after `begin`, before `find`. */
  readonly needs = new StatementNeeds();
  /** That what was found serves the statement in. */
  hostgroup = 0;
  #onPrimary = false;
  /** It has waited for a replica. */
  #hasWaited = false;
  /** No replica has what the read must see: it goes to the primary. */
  #isBehind = false;
  /** The replica that is tried where the first one could not be reached. */
  #insteadOf: ServerPool | null = null;
  /** Until when a server that cannot be reached is tried again; 0 before the first failure. */
  #retryUntil = 0;
  #isRefused = false;
  /** Of what is to be sent. */
  bytes = 0;
  readonly #primaryWait: PrimaryWait;
  readonly #lagPlace: LagPlace;
  /** It goes to the primary only because of the replicas' lag. */
  #isLagFallback = false;
  readonly #retryTimer = new WheelTimer(() => this.#again(Waiting.retry));

  constructor(client: SearchClient, context: WorkerContext, residue: Residue, listener: SearchListener) {
    this.#client = client;
    this.#context = context;
    this.#residue = residue;
    this.#listener = listener;
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
    const isRead = this.#route?.target === RouteTarget.replica && this.#plan?.statement.provenRead === true;
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
    this.needs.clear();
    this.#lagPlace.leave();
    this.wentBack = false;
    this.#onPrimary = false;
    this.#hasWaited = false;
    this.#isBehind = false;
    this.#insteadOf = null;
    this.#retryUntil = 0;
    this.#primaryWait.begin();
    this.#isRefused = false;
  }

  /** What the command in `buffer[start, end)` asks of a replica, and what it is kept together with. */
  readKey(buffer: Buffer | null, start: number, end: number): void {
    if (this.#route?.target !== RouteTarget.replica || this.#onPrimary) return;
    const { backends } = this.#context;
    const hint = this.#plan?.statement.hint;
    if (hint !== undefined && (hint.maxLagMs !== null || hint.minEpochMs)) {
      const { state } = this.#client;
      const { dialect } = backends;
      this.needs.maxLagMs = lagLimitOf(hint, state, dialect, this.#statement, buffer, start, end);
    }
    const key = backends.hashKeyOf(this.#client.routing.destination);
    if (key === null) return;
    // A transaction is not what its first statement is.
    if (key === HashKey.statement && this.#plan?.statement.provenRead !== true) return;
    const statement = this.#statement;
    this.needs.affinity = affinityOf(key, this.#client, backends.dialect, statement, buffer, start, end);
  }

  /** The replica will not do: from now on only the primary. */
  primaryOnly(): void {
    this.#onPrimary = true;
  }

  /**
   * A read is repeated, since this connection was lost: others to the same server are likely to be dead as well, and
   * the last try is the primary's, if there is one.
   */
  lostOn({ server }: BackendConnection, isLastTry: boolean): void {
    if (this.#route?.target !== RouteTarget.replica || this.#onPrimary) return;
    const { backends } = this.#context;
    const pool = backends.poolOf(server.address);
    const other =
      pool === null || isLastTry
        ? null
        : backends.otherReader(this.#client.routing.destination, pool, this.needs);
    this.#insteadOf = other;
    this.#onPrimary = other === null && backends.primary !== null;
  }

  get isPrimaryOnly(): boolean {
    return this.#onPrimary;
  }

  get isWaiting(): boolean {
    return this.#waiting !== Waiting.nothing;
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
    const pool = this.#choosePool();
    if (pool === backends.primary && this.#awaitReplica()) return null;
    if (isHeldBack && (pool === null || pool === backends.primary)) {
      this.#waiting = Waiting.primary;
      this.#isRefused = false;
      this.#primaryWait.forRelease(this.bytes);
      return null;
    }
    if (pool === null) {
      this.#isRefused = false;
      this.#waiting = Waiting.primary;
      this.#primaryWait.forServer(this.bytes, this.#client.routing.destination.writer);
      return null;
    }
    if (this.#isRefused) {
      this.#isRefused = false;
      this.#waiting = Waiting.primary;
      this.#primaryWait.forHeir(this.bytes);
      return null;
    }
    if (
      this.#isLagFallback &&
      !this.#lagPlace.take(this.#client.routing.destination.readers ?? this.hostgroup)
    ) {
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

  #asFound(connection: BackendConnection): BackendConnection {
    const { readers, writer } = this.#client.routing.destination;
    const { role, hostgroup } = connection.server;
    this.hostgroup = role === 'primary' ? writer : (readers ?? hostgroup);
    return connection;
  }

  cancel(): void {
    this.#waiting = Waiting.nothing;
    this.#primaryWait.end();
    this.#lagPlace.leave();
    this.#context.replicaWaits.cancel(this);
    this.#context.wheel.cancel(this.#retryTimer);
    this.#pool?.cancel(this);
  }

  /** What only another connection knows is read from there first. */
  #waitsForResidue(held: BackendConnection | null): boolean {
    const statement = this.#plan?.statement;
    if (statement === undefined || !this.#asks(statement)) return false;
    const target = held ?? this.wanted(statement);
    if (!this.#residue.fetches(statement, target, () => this.#residueRead())) return false;
    this.#waiting = Waiting.residue;
    return true;
  }

  #asks(statement: StatementClass): boolean {
    return usesResidue(statement) || this.#residue.concerns(statement);
  }

  /** A statement that asks for what the last one left goes to the connection where it is. */
  #goBack(): BackendConnection | null {
    const statement = this.#plan?.statement;
    if (statement === undefined || !this.#asks(statement)) return null;
    const wanted = this.wanted(statement);
    if (wanted === null) return null;
    return this.#context.backends.poolOf(wanted.server.address)?.takeIdle(wanted) === true ? wanted : null;
  }

  /** Where the answer is, unless the rest of the statement cannot run there: other capabilities by now, a write. */
  wanted(statement: StatementClass): BackendConnection | null {
    const wanted = this.#residue.wantedConnection(statement);
    if (wanted === null || wanted.key.text !== this.connectionKey.text) return null;
    if (this.#isRefusedBy(statement, wanted) || this.#losesList(statement, wanted)) return null;
    const isPrimary = wanted.server.address === this.#context.backends.primary?.server.address;
    if (isPrimary) return wanted;
    return !statement.mayWrite && this.#client.routing.seesEnoughOn(wanted, statement) ? wanted : null;
  }

  #choosePool(): ServerPool | null {
    const { backends } = this.#context;
    const { destination } = this.#client.routing;
    const { readers, writer } = destination;
    const isRead = this.#route?.target === RouteTarget.replica && !this.#onPrimary && readers !== null;
    const reader = isRead ? (this.#insteadOf ?? backends.reader(destination, this.needs)) : null;
    this.hostgroup = isRead && reader !== null ? readers : writer;
    this.#isLagFallback =
      this.#route?.reason === RouteReason.replicasLag
        ? reader === null
        : isRead && reader === null && this.needs.maxLagMs >= 0;
    return reader ?? backends.primary;
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

  /** No replica has what the read must see: the one that is nearest to it may have it soon. */
  #awaitReplica(): boolean {
    const { neededGtid } = this.needs;
    if (neededGtid <= 0 || this.#onPrimary) return false;
    const { backends, replicaWaits } = this.#context;
    const nearest = this.#hasWaited
      ? null
      : backends.nearestReader(this.#client.routing.destination, this.needs);
    const waitMs = this.#client.routing.causalWaitMs;
    if (nearest === null || !replicaWaits.begin(this, nearest, neededGtid, waitMs)) {
      this.#isBehind = true;
      return false;
    }
    this.#hasWaited = true;
    this.#waiting = Waiting.replica;
    return true;
  }

  /** A connection has been found. @returns no replica has what the read must see. */
  placed(connection: BackendConnection): boolean {
    if (this.#route?.target !== RouteTarget.replica) return false;
    this.#client.routing.placed(connection.server.role === 'primary');
    const { counters } = this.#context;
    if (this.needs.neededGtid <= 0) return false;
    if (this.#isBehind) counters.add(WorkerCounter.causalReadsBehind);
    else counters.add(this.#hasWaited ? WorkerCounter.causalReadsWaited : WorkerCounter.causalReadsAtOnce);
    return this.#isBehind;
  }

  waitOver(reached: boolean): void {
    this.#context.replicaWaits.cancel(this);
    if (this.#waiting !== Waiting.replica) return;
    if (!reached) {
      this.#onPrimary = true;
      this.#isBehind = true;
    }
    this.#again(Waiting.replica);
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

  /** A variable that the session has never set has a type of its own, which no assignment brings back. */
  refuses(connection: BackendConnection): boolean {
    const names = this.#names?.statement;
    return names !== undefined && this.#isRefusedBy(names, connection);
  }

  #isRefusedBy(statement: StatementClass, { userVariables }: BackendConnection): boolean {
    if (userVariables.isEmpty) return false;
    const own = this.#client.state.userVariables;
    // What is held serves whatever comes next.
    if (this.#mayHold(statement) && !userVariables.isWithin(own)) return true;
    return statement.readsVariables.some((name) => userVariables.has(name) && !own.has(name));
  }

  #mayHold({ kind, pins }: StatementClass): boolean {
    if (kind === StatementKind.begin || this.#client.state.variables?.autocommit === false) return true;
    return pins.some((reason) => reason !== PinReason.userVariable);
  }

  /** MySQL empties its list of warnings with the SET that brings the session's variables there. */
  #losesList({ residue, userVariables }: StatementClass, connection: BackendConnection): boolean {
    if (!residue.diagnostics || connection.server.flavor !== 'mysql') return false;
    const mentions = userVariables === null || userVariables.length > 0;
    return mentions && connection.userVariables !== this.#client.state.userVariables;
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
      this.#insteadOf = null;
      this.#waiting = Waiting.retry;
      this.#again(Waiting.retry);
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
      this.#waiting = Waiting.retry;
      this.#again(Waiting.retry);
      return true;
    }
    const isSchema = SCHEMA_REFUSED.has(errno);
    if (!CREDENTIALS_REFUSED.has(errno) && !isSchema) return false;
    const isReplica = this.#pool !== this.#context.backends.primary;
    if (isSchema || !this.#client.takeNewerCredentials()) {
      if (!isReplica || this.#onPrimary) return false;
      this.#onPrimary = true;
    }
    this.#waiting = Waiting.retry;
    this.#again(Waiting.retry);
    return true;
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
    const wasRead = this.#route?.target === RouteTarget.replica && !this.#onPrimary;
    if (wasRead) {
      const { destination } = this.#client.routing;
      const { backends } = this.#context;
      const other = this.#pool === null ? null : backends.otherReader(destination, this.#pool, this.needs);
      this.#onPrimary = this.#insteadOf !== null || other === null;
      this.#insteadOf = other;
    }
    this.#context.wheel.arm(this.#retryTimer, wasRead ? 1 : RETRY_MS);
    return true;
  }
}
