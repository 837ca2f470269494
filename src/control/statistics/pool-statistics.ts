/**
 * The traffic of each server since somebody has set its counts to zero: a difference, since the counters themselves go
 * on for those who watch them grow.
 */

import type { ServerCounters } from '../metrics/counter-snapshot.ts';

export interface PoolTraffic {
  readonly queries: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly connects: number;
  readonly connectErrors: number;
}

const NOTHING: PoolTraffic = { queries: 0, bytesSent: 0, bytesReceived: 0, connects: 0, connectErrors: 0 };

export class PoolStatistics {
  #before = new Map<string, PoolTraffic>();

  since(server: ServerCounters): PoolTraffic {
    const before = this.#before.get(server.address) ?? NOTHING;
    return {
      queries: server.queries - before.queries,
      bytesSent: server.bytesSent - before.bytesSent,
      bytesReceived: server.bytesReceived - before.bytesReceived,
      connects: server.connects - before.connects,
      connectErrors: server.connectErrors - before.connectErrors,
    };
  }

  reset(servers: readonly ServerCounters[]): void {
    this.#before = new Map(servers.map((server) => [server.address, server]));
  }
}
