/** One clock for all threads: `performance.now()` of each begins with the thread. */

import { performance } from 'node:perf_hooks';

/** `process.hrtime` and `performance.now()` are the same clock of the system, with different beginnings. */
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds since an arbitrary moment, the same in all threads of this machine; never goes back. */
export function monotonicMs(): number {
  return offsetMs + performance.now();
}
