/**
 * The end of a worker whose process has handed its sockets over: clients end as it costs them the least, and when nobody
 * is left the worker stops.
 *
 * Period: CHECK_MS, from `begin` to the stop.
 * Effect: a client that is between two statements, outside of a transaction and not pinned, for `idleMs`, ends (1053).
 *         That time becomes shorter as `drainMs` goes by: a pool that is never idle for long has short pauses too. A client
 *         may be sending in the moment in which it ends; a long pause makes that unlikely, and that no more than AT_ONCE end
 *         before the sockets are looked at again. What it was sending is not executed: 1053 is true.
 * Stop:   at `drainMs`, or when nobody is left: `stop`, with the grace that running statements and transactions have in
 *         any stop.
 */

import type { HandOverOrder } from '../../common/thread-messages.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Session } from './session.ts';

const CHECK_MS = 50;
/** It takes time, in which another one may have sent something. */
const AT_ONCE = 32;

interface Pause {
  readonly activity: number;
  readonly sinceMs: number;
}

export class HandoverDrain {
  readonly #clients: ReadonlySet<ClientConnection>;
  readonly #stop: () => void;
  readonly #now: () => number;
  /** Who was found idle, and with which last activity. */
  readonly #pauses = new WeakMap<ClientConnection, Pause>();
  #timer: NodeJS.Timeout | null = null;
  #order: HandOverOrder | null = null;
  #begunAtMs = 0;
  #isOver = false;
  /** Of the next check, where there are more to end. */
  #more: NodeJS.Immediate | null = null;

  constructor(
    clients: ReadonlySet<ClientConnection>,
    stop: () => void,
    now: () => number = () => performance.now(),
  ) {
    this.#clients = clients;
    this.#stop = stop;
    this.#now = now;
  }

  begin(order: HandOverOrder): void {
    if (this.#order !== null) return;
    this.#order = order;
    this.#begunAtMs = this.#now();
    // Behind what has come from clients meanwhile: this thread may have slept for longer than they were idle.
    this.#timer = setInterval(() => setImmediate(() => this.check()), CHECK_MS);
    this.check();
  }

  /** Nothing of its is due any more. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#more !== null) clearImmediate(this.#more);
    this.#more = null;
    this.#isOver = true;
  }

  check(): void {
    const order = this.#order;
    if (order === null || this.#isOver) return;
    const nowMs = this.#now();
    const leftMs = order.drainMs - (nowMs - this.#begunAtMs);
    const clients = this.#clients;
    if (leftMs > 0) {
      const pauseMs = order.idleMs * (leftMs / order.drainMs);
      this.#endSome(pauseMs, nowMs);
    }
    if (leftMs <= 0 || clients.size === 0) this.#stop();
  }

  #endSome(pauseMs: number, nowMs: number): void {
    let ended = 0;
    for (const client of [...this.#clients]) {
      if (this.#pausedFor(client, nowMs) < pauseMs) continue;
      if (ended === AT_ONCE) {
        // Behind the sockets' turn.
        this.#more ??= setImmediate(() => {
          this.#more = null;
          this.check();
        });
        return;
      }
      client.endForShutdown();
      ended++;
    }
  }

  /** @returns milliseconds; negative for who may not end now. */
  #pausedFor(client: ClientConnection, nowMs: number): number {
    const { session } = client;
    // Who logs in is about to be idle, or goes by itself.
    if (session === null || client.isLoggingIn || !canEnd(session)) {
      this.#pauses.delete(client);
      return -1;
    }
    const activity = session.transport.lastActivity;
    const pause = this.#pauses.get(client);
    // Behind a statement that took long the last byte of the client is long ago.
    if (pause?.activity === activity) return nowMs - pause.sinceMs;
    this.#pauses.set(client, { activity, sinceMs: nowMs });
    return 0;
  }
}

function canEnd(session: Session): boolean {
  const { run, state } = session;
  return session.mayEndNow && run.held === null && !state.pinned && session.unsentBytes === 0;
}
