/** Whether a server that is OFFLINE_SOFT may be stopped: nothing of any client is on it, and no worker sends any more. */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServerAddress } from '../../topology/server-description.ts';
import type { AdminState } from './admin-state.ts';

const POLL_MS = 20;

export interface DrainState {
  /** null for a server that is not OFFLINE_SOFT. */
  readonly isDrained: boolean | null;
  /** Of clients, over all workers; the monitor's own are not among them. */
  readonly connections: number;
}

type Asked = Pick<AdminState, 'counters' | 'versions'>;

/** Of each server that is in force. */
export function drainStates(state: Asked): ReadonlyMap<ServerAddress, DrainState> {
  const { servers, snapshotVersion } = state.counters();
  // A worker that has not heard of it may still open a connection.
  const isKnown = state.versions().every(({ running, version }) => !running || version >= snapshotVersion);
  return new Map(
    servers.map(({ address, status, connections }) => {
      const isDrained = status === 'OFFLINE_SOFT' ? isKnown && connections === 0 : null;
      return [address, { isDrained, connections }];
    }),
  );
}

/** @returns how many connections are left when the time is over; 0 once it is drained. */
export async function untilDrained(state: Asked, address: ServerAddress, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const drain = drainStates(state).get(address);
    // A server that has left needs no waiting for.
    if (drain === undefined || drain.isDrained === true) return 0;
    if (performance.now() >= deadline) return Math.max(1, drain.connections);
    await delay(POLL_MS);
  }
}
