/**
 * The reads that wait for one replica. One question to the server, on a connection that nobody else's statement is on,
 * waits for the lowest position that anybody needs; its answer says how far the server is, and wakes all whom that
 * suffices. A read that needs less than what is being waited for gets a question of its own.
 */

import {
  type GtidSource,
  gtidPosition,
  NO_POSITION,
  sequenceOf,
  sourceIndexOf,
} from '../../common/gtid-position.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import { askAs } from '../backend/own-query.ts';
import type { RecordedResult } from '../backend/recording-reply.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import { executedSequence, waitStatement } from './wait-statement.ts';
import type { WorkerCausality } from './worker-causality.ts';

const MAX_QUESTIONS = 2;
/** So long nobody waits for a server that has not come as far in time. */
const DISCOURAGED_MS = 500;
const REACHED = '0';

/** Who waits. */
export interface WaitingRead {
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  /** The server has come so far, or has not in time. */
  waitOver(reached: boolean): void;
}

interface Waiter {
  readonly read: WaitingRead;
  readonly need: number;
  readonly untilMs: number;
}

export class ServerWaits {
  readonly #pool: ServerPool;
  readonly #causality: WorkerCausality;
  #waiters: Waiter[] = [];
  /** What is being waited for. */
  readonly #questions: number[] = [];
  #timer: NodeJS.Timeout | null = null;
  #discouragedUntilMs = 0;

  constructor(pool: ServerPool, causality: WorkerCausality) {
    this.#pool = pool;
    this.#causality = causality;
  }

  /** How far the server is known to be. */
  get #applied(): number {
    return this.#causality.gtids.applied(this.#pool.server.slot);
  }

  /** Whether the server may come to `need` soon. Where it stands in another source than that, nobody can tell. */
  mayReach(need: number): boolean {
    if (!this.#causality.sources.areReported) return false;
    const source = sourceIndexOf(need);
    if (sourceIndexOf(this.#applied) !== source || source !== this.#causality.sources.current?.index)
      return false;
    return performance.now() >= this.#discouragedUntilMs;
  }

  add(read: WaitingRead, need: number, waitMs: number): void {
    this.#waiters.push({ read, need, untilMs: performance.now() + waitMs });
    this.#timer ??= setTimeout(() => this.#expire(), waitMs);
    this.#ask(waitMs);
  }

  remove(read: WaitingRead): void {
    this.#waiters = this.#waiters.filter((waiter) => waiter.read !== read);
    this.#endTimer();
  }

  /** Nobody can wait here any more. */
  close(): void {
    this.#end(this.#waiters, false);
  }

  #ask(waitMs: number): void {
    const lowest = this.#waiters.reduce<Waiter | null>(
      (least, one) => (least === null || one.need < least.need ? one : least),
      null,
    );
    const source = this.#causality.sources.current;
    if (lowest === null || source === null || this.#questions.length >= MAX_QUESTIONS) return;
    if (this.#questions.some((position) => position <= lowest.need)) return;
    this.#questions.push(lowest.need);
    this.#send(lowest, source, waitMs);
  }

  #send({ need, read }: Waiter, source: GtidSource, waitMs: number): void {
    const { gtids } = this.#causality;
    const pool = this.#pool;
    const incarnation = gtids.incarnation(pool.server.slot);
    askAs({
      pool,
      connectionKey: read.connectionKey,
      collationId: read.collationId,
      sql: waitStatement(source, sequenceOf(source, need), waitMs),
      stillWanted: () => {
        if (this.#waiters.length > 0) return true;
        this.#forget(need);
        return false;
      },
      answered: (result) => {
        this.#forget(need);
        this.#learn(result, source, incarnation);
        this.#answered(result.errno === 0, waitMs);
      },
      failed: () => {
        this.#forget(need);
        this.#answered(false, waitMs);
      },
    });
  }

  #forget(need: number): void {
    this.#questions.splice(this.#questions.indexOf(need), 1);
  }

  #learn({ errno, rows }: RecordedResult, source: GtidSource, incarnation: number): void {
    const [reached, executed] = rows[0] ?? [];
    if (errno !== 0 || executed == null) return;
    if (reached === REACHED) this.#discouragedUntilMs = 0;
    const sequence = executedSequence(source, executed);
    // It was in this source when it was asked: what it had before it has still.
    if (sourceIndexOf(this.#applied) !== source.index || sequence === null) return;
    const { gtids } = this.#causality;
    gtids.raiseApplied(this.#pool.server.slot, gtidPosition(source, sequence), incarnation);
  }

  /** @param isUsable false: the server answers no such question. */
  #answered(isUsable: boolean, waitMs: number): void {
    const applied = this.#applied;
    const isOver = isUsable ? (waiter: Waiter) => waiter.need <= applied : () => true;
    const over = this.#waiters.filter(isOver);
    if (!isUsable) this.#discourage();
    this.#end(over, isUsable && applied !== NO_POSITION);
    this.#ask(waitMs);
  }

  #expire(): void {
    this.#timer = null;
    const now = performance.now();
    const late = this.#waiters.filter(({ untilMs }) => untilMs <= now);
    if (late.length > 0) this.#discourage();
    this.#end(late, false);
    const next = Math.min(...this.#waiters.map(({ untilMs }) => untilMs));
    if (Number.isFinite(next)) this.#timer ??= setTimeout(() => this.#expire(), Math.max(1, next - now));
  }

  #discourage(): void {
    this.#discouragedUntilMs = performance.now() + DISCOURAGED_MS;
  }

  #end(waiters: readonly Waiter[], reached: boolean): void {
    if (waiters.length === 0) return;
    const ended = new Set(waiters);
    this.#waiters = this.#waiters.filter((waiter) => !ended.has(waiter));
    this.#endTimer();
    for (const { read } of waiters) read.waitOver(reached);
  }

  #endTimer(): void {
    if (this.#waiters.length > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
