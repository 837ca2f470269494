/**
 * Keeps the optimizing compilers out of a process that has next to nothing to do, and the young generations of its heaps at their
 * first size. Every second it looks at what clients have asked, and what the process has used of a processor; with work to do
 * that ends, for good: what they take is taken then.
 */

import { holdCompilers, mayHoldCompilers, releaseCompilers } from '../common/optimizing-compilers.ts';
import { keepYoungHeapSmall, letYoungHeapGrow } from './young-heap.ts';

const PERIOD_MS = 1000;
/** Of a processor, in each period: checks, beats, a scraped page. */
const IDLE_CPU_MS = 100;
/** Beyond that, at once or over some periods. What an operator's first page loads is less. */
const BUSY_CPU_MS = 300;
/** As many calls as V8 wants of a function before it looks at it; few clients are to be served as quickly as many. */
const BUSY_COMMANDS = 1000;

/** Tells work from idling. */
export class BusyGauge {
  #seenCpuMs: number;
  #excessMs = 0;

  /** @param cpuMs what the process has used so far, of all its threads */
  constructor(cpuMs: number) {
    this.#seenCpuMs = cpuMs;
  }

  /** To be asked once in each period. @param commands what clients have sent so far, of all workers */
  isBusy(cpuMs: number, commands: number): boolean {
    this.#excessMs = Math.max(0, this.#excessMs + cpuMs - this.#seenCpuMs - IDLE_CPU_MS);
    this.#seenCpuMs = cpuMs;
    return this.#excessMs >= BUSY_CPU_MS || commands >= BUSY_COMMANDS;
  }
}

/** @param commands as `BusyGauge.isBusy` takes them */
export function holdWhileIdle(commands: () => number): void {
  const { NODE_OPTIONS: more = '' } = process.env;
  const holdsCompilers = mayHoldCompilers([...process.execArgv, ...more.split(/\s+/)]);
  if (holdsCompilers) holdCompilers();
  keepYoungHeapSmall();
  const gauge = new BusyGauge(ownCpuMs());
  const timer = setInterval(() => {
    if (!gauge.isBusy(ownCpuMs(), commands())) return;
    clearInterval(timer);
    letYoungHeapGrow();
    if (holdsCompilers) releaseCompilers();
  }, PERIOD_MS).unref();
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
