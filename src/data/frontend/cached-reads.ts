/**
 * One session before the cache: its statements are served from it, wait for the same read of another session, or go to a
 * server, some of them to fill it. What may not be cached costs one question.
 *
 * | what it does | meaning                                           | ends with                                   |
 * |--------------|---------------------------------------------------|---------------------------------------------|
 * | nothing      | its statement has nothing to do with the cache    | –                                           |
 * | fills        | the answer to its statement may be kept           | the end of the command, of the session      |
 * | waits        | the same read of another session is under way     | its end, the limit, KILL, the session's end |
 * | asks         | another Sluice may have read it                   | an answer, the limit, KILL, the session's end |
 */

import { Capability, hasCapability } from '../../../protocol/index.ts';
import { CacheClass } from '../../common/cache-settings.ts';
import type { ClientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { isHarmlessRead } from '../../sql/cacheability.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { executionKey, lastKeyHash, textKey } from '../cache/cache-key.ts';
import { SessionScope } from '../cache/cache-scope.ts';
import type { Fill, FillWaiter } from '../cache/fill.ts';
import { UNKNOWN_SLOTS, Usability } from '../cache/result-cache.ts';
import { type CacheEntry, EntryEnd } from '../cache/result-store.ts';
import { FOREIGN_GTID } from '../causal/gtid-sources.ts';
import type { CacheDecision } from '../router/caching/cache-decision.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { usesResidue } from './asked-connection.ts';
import { pinnedRow } from './pinned-row.ts';
import type { Session } from './session.ts';
import { SharedReads, type SharedReadsOwner } from './shared-reads.ts';

/** A longer statement goes to a server itself, rather than to be kept. */
const MAX_WAITING_BYTES = 64 * 1024;
const CACHED = routeOf(RouteTarget.sluice, RouteReason.cached);

export class CachedReads implements FillWaiter, SharedReadsOwner {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #scope: SessionScope;
  /** null: nothing is shared with other Sluices. */
  readonly #shared: SharedReads | null;
  /** That its statement is to answer. */
  #fill: Fill | null = null;
  /** Whose end it waits for. */
  #awaited: Fill | null = null;
  /** What waits. */
  #packet: Buffer | null = null;
  #plan: Plan | null = null;
  #decision: CacheDecision | null = null;
  readonly #timer = new WheelTimer(() => this.#stopWaiting());

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
    this.#scope = new SessionScope(context.cache.scopes);
    const { cache } = context;
    const { secondLevel } = cache;
    this.#shared =
      secondLevel === null ? null : new SharedReads(session, cache, secondLevel, this.#scope, this);
  }

  /** What it reads must be as new as what the primary has acknowledged up to now. */
  get fillsStrong(): boolean {
    return this.#fill !== null && this.#fill.terms.proof !== null;
  }

  /** @returns true if the statement in `buffer[start, end)` is answered, or waits. */
  take(buffer: Buffer, start: number, end: number, plan: Plan): boolean {
    if (!isHarmlessRead(plan.statement)) return false;
    const session = this.#session;
    const { routing } = session;
    const { cachePolicy, cache, cacheAdvisor } = this.#context;
    if (cacheAdvisor.isWatching) this.#advise(buffer, start, end, plan);
    const decision = cachePolicy.decisionOf(plan, routing.verdict, session.username, routing.schema);
    if (decision === null || !this.#mayShare(plan)) return false;
    const token = this.#token();
    if (token < 0 || (token > 0 && decision.class !== CacheClass.strong)) return false;
    const key = this.#keyOf(buffer, start, end, plan);
    if (key === null || !this.#pays(decision, plan)) return false;
    const tally = cache.tallies.of(plan, decision);
    const entry = cache.find(key);
    if (entry !== undefined) {
      const usability = cache.judge(entry, decision, token);
      if (usability === Usability.fresh) {
        this.#serve(entry, key, plan, buffer, start, end);
        return true;
      }
      if (usability === Usability.unproven) {
        this.#context.counters.add(WorkerCounter.cacheUnproven);
        tally.unproven++;
        return false;
      }
      if (usability === Usability.stale) {
        if (!entry.isRefreshing && !this.#refresh(key, entry, decision, plan, buffer, start, end))
          return false;
        this.#serve(entry, key, plan, buffer, start, end);
        return true;
      }
      cache.drop(key, entry, decision.class === CacheClass.weak ? EntryEnd.expired : EntryEnd.stale);
    }
    this.#context.counters.add(WorkerCounter.cacheMisses);
    tally.misses++;
    return this.#miss(key, decision, buffer, start, end, plan);
  }

  // ---- what may be shared

  /** Its session is where any other of its scope is: outside of transactions, with nothing of its own. */
  #mayShare({ statement }: Plan): boolean {
    const session = this.#session;
    const { state, run, routing } = session;
    if (run.held !== null || routing.pinned || state.mayBeInTransaction || !routing.autocommit) return false;
    if (state.clientTracks || session.readOnly.active || session.errorSequence !== 1) return false;
    const { residue, userVariables } = statement;
    if (statement.statementCount !== 1 || usesResidue(statement)) return false;
    return !residue.connectionId && userVariables?.length === 0;
  }

  /** What it must see because somebody has told it a GTID; below 0: what only a server can tell. */
  #token(): number {
    const { minGtid, hintedGtid } = this.#session.causality;
    if (minGtid === FOREIGN_GTID || hintedGtid === FOREIGN_GTID) return FOREIGN_GTID;
    return Math.max(minGtid, hintedGtid);
  }

  #keyOf(buffer: Buffer, start: number, end: number, plan: Plan): string | null {
    const session = this.#session;
    const { state, run, routing } = session;
    if (state.variables === null) return null;
    const scope = this.#scope.of(session.connectionKey, state.schema, state.variables);
    if (!scope.isCacheable) return null;
    const destination = this.#context.router.destinationOf(plan.statement, routing);
    const { statement } = run;
    if (statement === null) return textKey(scope.id, plan.id, destination, buffer, start, end);
    if (statement.hasLongData || statement.bindsTime || statement.definition !== statement.prepared)
      return null;
    // Executed away from the schema that it belongs to MariaDB reports that one to those who want to hear of it.
    if (statement.prepared.schema !== state.schema) return null;
    return executionKey(scope.id, statement.prepared.id, destination, statement, buffer, start, end);
  }

  /** Nobody has asked for it to be cached: only if it is worth it. */
  #pays({ auto }: CacheDecision, plan: Plan): boolean {
    if (auto === null) return true;
    const { tables, cache } = this.#context;
    const slots = plan.readSlots(this.#session.routing.schema, tables);
    return slots !== null && auto.admits(lastKeyHash(), cache.epochSum(slots), plan.aloneMs);
  }

  /** ADVISE CACHE is looking: what would a cache do for this statement? */
  #advise(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const { cachePolicy, cache, cacheAdvisor, tables } = this.#context;
    const { schema } = this.#session.routing;
    if (!this.#mayShare(plan) || cachePolicy.objectionTo(plan, CacheClass.strong, schema) !== null) return;
    const slots = plan.readSlots(schema, tables);
    if (slots === null || this.#keyOf(buffer, start, end, plan) === null) return;
    cacheAdvisor.seen(plan, lastKeyHash(), cache.epochSum(slots));
  }

  // ---- hits

  #serve(entry: CacheEntry, key: string, plan: Plan, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const { run, state } = session;
    const { cache, counters, backends } = this.#context;
    const { result } = entry;
    const deprecatesEof = hasCapability(session.clientCapabilities, Capability.CLIENT_DEPRECATE_EOF);
    const isNewShape = !result.hasShape(deprecatesEof);
    const bytes = result.bytesFor(deprecatesEof);
    if (run.statement?.knowsColumns(result.columnCount) === false)
      session.write(result.bytesWithNewColumns(deprecatesEof));
    else if (session.write(bytes)) result.referenced();
    if (isNewShape) cache.store.grown(key, entry);
    counters.add(WorkerCounter.cacheHits);
    entry.tally.hits++;
    entry.tally.savedMs += entry.serverMs;
    counters.add(WorkerCounter.cacheSavedMs, entry.serverMs);
    counters.add(WorkerCounter.cacheBytesServed, bytes.length);
    const { lastActivity } = session.transport;
    run.trace.servedFromCache(CACHED, plan, buffer, start, end, lastActivity, result.rowCount, bytes.length);
    run.residue.readFromCache(result.rowCount, plan.statement, backends.dialect.flavor === 'mariadb');
    state.statusFlags = result.statusFlags;
    run.statement = null;
    run.lastErrno = 0;
    run.lastWarnings = 0;
    session.runFinished();
  }

  // ---- misses

  #miss(
    key: string,
    decision: CacheDecision,
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
  ): boolean {
    const { cache, counters, wheel } = this.#context;
    const other = cache.fillOf(key);
    if (other === undefined) {
      if (!cache.admits(lastKeyHash())) {
        counters.add(WorkerCounter.cacheNotAdmitted);
        return false;
      }
      const fill = this.#begin(key, decision, plan, buffer, start, end);
      if (fill === null) counters.add(WorkerCounter.cacheUnproven);
      else if (this.#shared?.ask(fill, decision, buffer, start, end, plan) === true) return true;
      else this.#fillWith(fill);
      return false;
    }
    if (decision.waitMs <= 0 || end - start > MAX_WAITING_BYTES) return false;
    counters.add(WorkerCounter.cacheWaits);
    this.#awaited = other;
    this.#packet = Buffer.from(buffer.subarray(start, end));
    this.#plan = plan;
    this.#decision = decision;
    other.waiters.add(this);
    wheel.arm(this.#timer, decision.waitMs);
    return true;
  }

  #fillWith(fill: Fill): void {
    this.#fill = fill;
    this.#session.run.passage.capture = fill.capture;
  }

  /** @returns null while what is read now could not be stored. */
  #begin(
    key: string,
    decision: CacheDecision,
    plan: Plan,
    buffer: Buffer,
    start: number,
    end: number,
    refreshes: CacheEntry | null = null,
  ): Fill | null {
    const { cache, tables, freshness } = this.#context;
    const session = this.#session;
    const isStrong = decision.class === CacheClass.strong;
    const slots = plan.readSlots(session.routing.schema, tables);
    if (slots === null && isStrong) return null;
    const pin = isStrong ? pinnedRow(session, plan, tables.keys, buffer, start, end) : null;
    const proof = isStrong && slots !== null ? freshness.note(slots, pin) : null;
    if (isStrong && proof === null) return null;
    return cache.begin(
      {
        key,
        tally: cache.tallies.of(plan, decision),
        proof,
        class: decision.class,
        slots: slots ?? UNKNOWN_SLOTS,
        structure: cache.structureOf(slots ?? UNKNOWN_SLOTS, decision.class),
        flushes: cache.flushes,
        storesEmpty: decision.cacheEmpty,
        storesWarnings: decision.cacheWarnings,
        deprecatesEof: hasCapability(session.clientCapabilities, Capability.CLIENT_DEPRECATE_EOF),
        maxBytes: cache.maxResultBytes,
      },
      refreshes,
    );
  }

  /** It is going where what it reads need not be new enough: it fills nothing. */
  fillsNothing(): void {
    this.#endFill(false);
  }

  /** The session's command has ended. */
  commandEnded(): void {
    if (this.#fill === null) return;
    const { lastErrno, lastWarnings } = this.#session.run;
    this.#endFill(lastErrno === 0 && (lastWarnings === 0 || this.#fill.terms.storesWarnings));
  }

  #endFill(isAnswered: boolean): void {
    const fill = this.#fill;
    if (fill === null) return;
    this.#fill = null;
    const { passage, trace } = this.#session.run;
    passage.capture = null;
    if (isAnswered) fill.answered(trace.endedAtMs - trace.beganAtMs);
    this.#context.cache.end(fill);
  }

  /** One statement in the background reads it again. @returns false if too many do so now: then this one does it itself. */
  #refresh(
    key: string,
    entry: CacheEntry,
    decision: CacheDecision,
    plan: Plan,
    buffer: Buffer,
    start: number,
    end: number,
  ): boolean {
    const { cache, refreshes, router } = this.#context;
    const session = this.#session;
    const other = cache.fillOf(key);
    if (other !== undefined) return true;
    const fill = this.#begin(key, decision, plan, buffer, start, end, entry);
    if (fill === null) return true;
    const destination = router.destinationOf(plan.statement, session.routing);
    this.#shared?.share(fill, decision, plan);
    if (refreshes.take(session, destination, buffer, start, end, plan, fill)) return true;
    this.#fillWith(fill);
    return false;
  }

  /** Of the second level: what another Sluice has read, or nothing. */
  answered(fill: Fill, entry: CacheEntry | null, decision: CacheDecision, packet: Buffer, plan: Plan): void {
    if (entry !== null && this.#context.cache.judge(entry, decision, this.#token()) === Usability.fresh) {
      this.#serve(entry, fill.terms.key, plan, packet, 0, packet.length);
      return;
    }
    if (entry === null) this.#fillWith(fill);
    this.#session.commands.send(packet, 0, packet.length, plan);
  }

  // ---- waiting

  /** The read that it waits for has ended. */
  filled(entry: CacheEntry | null): void {
    const fill = this.#awaited;
    const packet = this.#packet;
    const plan = this.#plan;
    const decision = this.#decision;
    if (fill === null || packet === null || plan === null || decision === null) return;
    this.cancel();
    const isThere = entry !== null && !entry.result.isReleased;
    if (isThere && this.#context.cache.judge(entry, decision, this.#token()) === Usability.fresh)
      this.#serve(entry, fill.terms.key, plan, packet, 0, packet.length);
    else this.#session.commands.send(packet, 0, packet.length, plan);
  }

  /** It has waited long enough. */
  #stopWaiting(): void {
    const fill = this.#awaited;
    fill?.waiters.delete(this);
    this.#context.counters.add(WorkerCounter.cacheWaitsExpired);
    this.filled(null);
  }

  /** KILL QUERY, or the end of the statement's time. @returns false if it does not wait here */
  interrupt(error: ClientError): boolean {
    if (this.#awaited === null && this.#shared?.isAsking !== true) return false;
    this.cancel();
    this.#session.run.statement = null;
    this.#session.refuse(error);
    return true;
  }

  /** It does not wait any more. */
  cancel(): void {
    this.#shared?.cancel();
    if (this.#awaited === null) return;
    this.#context.wheel.cancel(this.#timer);
    this.#awaited.waiters.delete(this);
    this.#awaited = null;
    this.#packet = null;
    this.#plan = null;
    this.#decision = null;
  }

  /** The session has ended: whoever waits for what it was reading goes to a server. */
  end(): void {
    this.cancel();
    this.#endFill(false);
  }
}
