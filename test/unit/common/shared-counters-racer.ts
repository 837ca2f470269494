/** One of several threads that take and give back places under one limit; started by shared-counters.test.ts. */

import { parentPort, workerData } from 'node:worker_threads';
import { Gauge, SharedCounters } from '../../../src/common/shared-counters.ts';

const { buffers, limit, rounds, inside, start } = workerData as {
  buffers: ConstructorParameters<typeof SharedCounters>[0];
  limit: number;
  rounds: number;
  /** [0]: how many are inside right now, [1]: the most that ever were. */
  inside: SharedArrayBuffer;
  start: SharedArrayBuffer;
};

const counters = new SharedCounters(buffers);
const places = new Int32Array(inside);
const gate = new Int32Array(start);
let taken = 0;
const ids: number[] = [];

Atomics.wait(gate, 0, 0);
for (let round = 0; round < rounds; round++) {
  ids.push(counters.nextConnectionId());
  if (!counters.acquire(Gauge.frontendConnections, limit)) continue;
  taken++;
  const now = Atomics.add(places, 0, 1) + 1;
  for (let most = Atomics.load(places, 1); now > most; most = Atomics.load(places, 1))
    if (Atomics.compareExchange(places, 1, most, now) === most) break;
  Atomics.sub(places, 0, 1);
  counters.addGauge(Gauge.frontendConnections, -1);
}
parentPort?.postMessage({ taken, ids });
