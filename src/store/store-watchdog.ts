/**
 * A thread of the store process that ends it in the middle of a statement, which keeps the main thread from noticing
 * anything: when the main process is gone, and when too much memory is taken (SQLite is built without limits of its
 * own here). Looks every 50 ms, which is also how long memory can grow unseen; ends with the process.
 */

import { workerData } from 'node:worker_threads';
import { OUT_OF_MEMORY_SIGNAL } from '../common/store-messages.ts';

const INTERVAL_MS = 50;
const { parentPid, maxMemoryBytes } = workerData as { parentPid: number; maxMemoryBytes: number };

setInterval(() => {
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() > maxMemoryBytes) process.kill(process.pid, OUT_OF_MEMORY_SIGNAL);
}, INTERVAL_MS);
