/**
 * A thread of the store process that ends it when the main process is gone: a statement that never ends keeps its
 * thread from noticing that. Looks once a second; ends with the process.
 */

import { workerData } from 'node:worker_threads';

const INTERVAL_MS = 1000;
const { parentPid } = workerData as { parentPid: number };

setInterval(() => {
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
