/** Opens connections for those who wait, first come first served, as far as the limits of server and workers allow. */

import { ER_ACCESS_DENIED_ERROR, ER_CON_COUNT_ERROR } from '../../common/server-errno.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';
import type { LatencyAverage } from './balancing/latency-average.ts';
import type { ConnectionListener } from './connection-holder.ts';
import type { PoolEnvironment, PoolTerms } from './pool-environment.ts';
import type { PoolGauges } from './pool-gauges.ts';
import { type PoolMembers, retire } from './pool-members.ts';
import type { PoolRefusals } from './pool-refusals.ts';
import { PoolFailureKind, type PoolRequest } from './pool-request.ts';
import type { WaitQueue } from './wait-queue.ts';

/** How often a pool asks again for a place that other workers hold. */
const STARVING_RETRY_MS = 50;

export interface OpeningParts {
  readonly terms: PoolTerms;
  readonly env: PoolEnvironment;
  readonly members: PoolMembers;
  readonly gauges: PoolGauges;
  readonly waiting: WaitQueue;
  readonly refusals: PoolRefusals;
  readonly latency: LatencyAverage;
  /** Of the connections. */
  readonly listener: ConnectionListener;
}

export class PoolOpening {
  readonly #pool: OpeningParts;
  readonly #starvingTimer = new WheelTimer(() => {
    this.#serverFull = false;
    this.openMissing();
  });
  /** The server itself has refused one more connection just now. */
  #serverFull = false;

  constructor(pool: OpeningParts) {
    this.#pool = pool;
  }

  /** How many connections all workers together may have to the server. */
  get limit(): number {
    const { server, settings } = this.#pool.terms;
    const own = server.maxConnections;
    return own > 0 ? Math.min(own, settings.maxConnections) : settings.maxConnections;
  }

  /** As many as each worker may have where all want some. */
  get #share(): number {
    return this.limit / this.#pool.env.workers;
  }

  get hasMoreThanItsShare(): boolean {
    return this.#pool.members.all.size > this.#share;
  }

  openMissing(): void {
    const { waiting, members, terms } = this.#pool;
    if (waiting.length === 0) {
      this.stop();
      return;
    }
    if (this.#serverFull) return;
    const served = new Set(members.connecting.values());
    for (const request of waiting.values()) {
      if (members.connecting.size >= terms.settings.maxConnecting) return;
      if (served.has(request)) continue;
      if (!this.#open(request)) return;
    }
    this.stop();
  }

  /** Nobody waits for a place any more. */
  stop(): void {
    this.#pool.gauges.setStarving(false);
    this.#serverFull = false;
    this.#pool.env.wheel.cancel(this.#starvingTimer);
  }

  /** @returns false at the limit of the server. */
  #open(request: PoolRequest): boolean {
    const { terms, env, members, gauges, latency, listener } = this.#pool;
    const hasItsShare = members.all.size >= this.#share;
    if ((hasItsShare && gauges.othersStarve) || !gauges.acquirePlace(this.limit)) {
      // An idle one that the request cannot use makes room; else others must give a place back.
      if (!this.#evictFor(request)) {
        gauges.setStarving(true);
        this.#askAgain();
      }
      return false;
    }
    const target = {
      server: terms.server,
      key: request.connectionKey,
      collationId: request.collationId,
      schema: request.schema,
      connectTimeoutMs: terms.settings.connectTimeoutMs,
      latency,
    };
    members.opened(new BackendConnection(target, env.scheduler, listener), request);
    return true;
  }

  #askAgain(): void {
    this.#pool.env.wheel.arm(this.#starvingTimer, STARVING_RETRY_MS);
  }

  /** The longest idle connection that is of no use to the request goes; when it has closed the new one is opened. */
  #evictFor(request: PoolRequest): boolean {
    const { members } = this.#pool;
    if (members.evicted !== null) return true;
    const victim = members.leastUsefulTo(request);
    if (victim === null) return false;
    members.removeIdle(victim);
    if (victim.key.text === request.connectionKey.text && request.refuses(victim)) {
      // All that is wrong with it a reset takes away.
      victim.lastUser?.harvest(victim);
      victim.lastUser = null;
      members.reset(victim);
      return true;
    }
    members.evicted = victim;
    retire(victim, 'evicted-for-another-user');
    return true;
  }

  /** Who is told: those for whom it would have been the same. */
  failed(
    connection: BackendConnection,
    openedFor: PoolRequest,
    reason: string,
    failure: ConnectionFailure | null,
  ): void {
    const { terms, env, members, gauges, waiting, refusals } = this.#pool;
    const { address } = terms.server;
    gauges.connectFailed();
    env.log('warn', 'cannot connect to a server', { server: address, reason });
    if (failure === null) {
      env.serverFailed(address, reason);
      refusals.refuseAll(PoolFailureKind.unreachable, reason);
      return;
    }
    if (failure.errno === ER_CON_COUNT_ERROR && members.all.size > 0) {
      // Asked again a little later: not at once, or the full server would be stormed.
      this.#serverFull = true;
      this.#askAgain();
      return;
    }
    const isOfUser = failure.errno === ER_ACCESS_DENIED_ERROR;
    const concerned = [...waiting.values()].filter(
      (request) => request === openedFor || (isOfUser && request.connectionKey.text === connection.key.text),
    );
    for (const request of concerned) {
      waiting.remove(request);
      refusals.refuse(request, PoolFailureKind.refused, reason, failure);
    }
  }
}
