/** The way of nearly every process: a configuration without faults, and a service that starts with it. */

import { Worker } from 'node:worker_threads';
import type { HandoverTaker } from '../control/handover/handover-taker.ts';
import { serve } from './serve.ts';
import { dataDirProblem } from './start-refusal.ts';
import type { StartAnswer, StartQuestion } from './start-values.ts';
import { readVersion } from './version.ts';
import { keepYoungHeapSmall } from './young-heap.ts';

/** Whoever says one of these does not want the service. */
const OTHER_WISHES = new Set(['config', '--check-config', '-h', '--help', '-v', '--version']);

/** @returns null for a process that takes over from none */
async function connectToTaker(version: string): Promise<HandoverTaker | null> {
  // Most processes do not: then nothing of it is loaded.
  if (process.env._SLUICE_HANDOVER === undefined) return null;
  const { HandoverTaker } = await import('../control/handover/handover-taker.ts');
  return HandoverTaker.connect(version);
}

/** Null where there is anything to say before a start. */
function readApart(question: StartQuestion): Promise<StartAnswer | null> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const script = new URL(`./start-reader.${extension}`, import.meta.url);
  const { promise, resolve } = Promise.withResolvers<StartAnswer | null>();
  new Worker(script, { workerData: question })
    .once('message', resolve)
    .once('error', () => resolve(null))
    .once('exit', () => resolve(null));
  return promise;
}

export async function startOrElse(args: readonly string[]): Promise<void> {
  keepYoungHeapSmall();
  const version = readVersion();
  // First of all, so that it hears of whatever is wrong.
  const taker = await connectToTaker(version);
  const isForService = !args.some((arg) => OTHER_WISHES.has(arg));
  // What comes next is loaded meanwhile; if it cannot be, `serve` says so.
  if (isForService) import('../control/start-sluice.ts').catch(() => undefined);
  const start = isForService ? await readApart({ args, version }) : null;
  if (start !== null && dataDirProblem(start.config.dataDir) === null) {
    await serve(start, start.commandLine, version, taker);
    return;
  }
  const { runCommandLine } = await import('./run.ts');
  await runCommandLine(args, version, taker);
}
