/**
 * Reads that nobody waits for: what is served from the cache meanwhile is read again. Never more than some at a time in a
 * worker; of one result never more than one.
 */

import type { Fill } from '../cache/fill.ts';
import type { Destination } from '../router/destination.ts';
import type { CacheRefreshing, RefreshedSession, WorkerContext } from '../worker-context.ts';
import { ClientStatement } from './client-statement.ts';
import { UnheardClient } from './unheard-client.ts';

const MAX_RUNNING = 64;

export class CacheRefreshes implements CacheRefreshing {
  readonly #contextOf: () => WorkerContext;
  readonly #idle: UnheardClient[] = [];
  readonly #fills = new Map<UnheardClient, Fill>();

  /** @param context asked when the first one comes: it has this in it. */
  constructor(context: () => WorkerContext) {
    this.#contextOf = context;
  }

  /** @returns false if as many are under way as may be. */
  readonly take: CacheRefreshing['take'] = (session, destination, buffer, start, end, plan, fill) => {
    if (this.#fills.size >= MAX_RUNNING) return false;
    const { limits } = this.#contextOf().snapshot.settings;
    const { statement } = session.run;
    const copy = statement instanceof ClientStatement ? statement.copyFor(buffer, start, end) : null;
    const client = this.#idle.pop() ?? this.#make(session, destination);
    this.#fills.set(client, fill);
    client.begin(session, destination, {
      packet: copy?.packet ?? Buffer.from(buffer.subarray(start, end)),
      plan,
      prepared: copy?.statement ?? null,
      timeoutMs: session.routing.verdict.timeoutMs ?? limits.queryTimeoutMs,
      source: 'cache',
      capture: fill.capture,
    });
    return true;
  };

  #make(session: RefreshedSession, destination: Destination): UnheardClient {
    return new UnheardClient(session, destination, this.#contextOf(), (client) => this.#ended(client));
  }

  #ended(client: UnheardClient): void {
    const fill = this.#fills.get(client);
    this.#fills.delete(client);
    this.#idle.push(client);
    if (fill === undefined) return;
    const { lastErrno, lastWarnings } = client.run;
    if (lastErrno === 0 && (lastWarnings === 0 || fill.terms.storesWarnings))
      fill.answered(performance.now() - fill.beganAtMs);
    this.#contextOf().cache.end(fill);
  }
}
