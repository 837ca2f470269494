/**
 * For `optimizing-compilers.test.ts`, under `--trace-opt`: calls a function often in three threads while the compilers are held,
 * and with an argument once more when they are not.
 */

import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { holdCompilers, releaseCompilers } from '../../src/common/optimizing-compilers.ts';

const CALLS = 20_000;

function hotFunction(seed: number): number {
  let sum = seed;
  for (let index = 0; index < 300; index++) sum = (sum * 31 + index) | 0;
  return sum;
}

function callOften(): number {
  let sum = 0;
  for (let count = 0; count < CALLS; count++) sum ^= hotFunction(count);
  return sum;
}

async function start(): Promise<Worker> {
  const worker = new Worker(new URL(import.meta.url));
  await once(worker, 'online');
  return worker;
}

async function callEverywhere(workers: readonly Worker[]): Promise<void> {
  const answers = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.postMessage('call');
  callOften();
  await Promise.all(answers);
}

if (isMainThread) {
  const before = await start();
  holdCompilers();
  const workers = [before, await start()];
  await callEverywhere(workers);
  if (process.argv.length > 2) {
    releaseCompilers();
    await callEverywhere(workers);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
} else parentPort?.on('message', () => parentPort?.postMessage(callOften()));
