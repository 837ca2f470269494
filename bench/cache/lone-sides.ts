/**
 * Several Sluices in front of one primary, of which all but the one that is measured are stopped (SIGSTOP): what a Sluice does in
 * the background, following the binlog for one, is part of its own figures and of nobody else's.
 *
 * The first side is measured at either end of a round, so that what changes within a round changes it as well: the mean of both
 * is what the others are compared with, and their ratio says what the noise is.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type BackendServers, endpointAt } from '../e2e/backend-servers.ts';
import { readRunTime, readThreadRunTime } from '../e2e/process-usage.ts';
import { type Side, type SideFigures, startSides } from '../e2e/sides.ts';
import type { Target } from '../e2e/targets/target.ts';
import { type WriteKind, WriteLoad } from './write-load.ts';

/** Under the name of the first side and this, its second measurement of each round. */
export const AGAIN = ' again';

/** It has caught up when it uses no more than this in a while. */
const CALM_MS = 10;
const CALM_MICROSECONDS = 1500;
const MICROSECONDS_PER_SECOND = 1e6;

interface Lone {
  readonly name: string;
  readonly pid: number;
  readonly load: WriteLoad;
}

interface Slice {
  readonly time: number;
  readonly cpu: number;
  readonly worker: number;
}

export class LoneSides {
  readonly #targets = new Map<string, Target>();
  readonly #sides: Lone[] = [];

  static async start(
    servers: BackendServers,
    sides: readonly Side[],
    clients: number,
    rows: number,
  ): Promise<LoneSides> {
    const all = new LoneSides();
    try {
      await startSides(servers, sides, clients, all.#targets);
      for (const [name, { port, pid }] of all.#targets) {
        if (pid === null) throw new Error(`${name} has no process`);
        all.#sides.push({ name, pid, load: await WriteLoad.open(endpointAt(port), clients, rows) });
      }
    } catch (error) {
      await all.stop();
      throw error;
    }
    return all;
  }

  /** @param statements of one measurement */
  async measure(
    kind: WriteKind,
    rounds: number,
    statements: number,
    warmUpStatements: number,
  ): Promise<ReadonlyMap<string, SideFigures>> {
    const [first, ...others] = this.#sides as [Lone, ...Lone[]];
    const figures = new Map<string, SideFigures>();
    for (const name of [first.name, `${first.name}${AGAIN}`, ...others.map((side) => side.name)])
      figures.set(name, { queriesPerSecond: [], cpuMicroseconds: [], workerMicroseconds: [] });
    for (const { load } of this.#sides) await load.run(kind, warmUpStatements);
    this.#signal('SIGSTOP');
    try {
      for (let round = 0; round < rounds; round++) {
        const before = await slice(first, kind, statements);
        for (const side of others) note(figures.get(side.name)!, await slice(side, kind, statements));
        const after = await slice(first, kind, statements);
        note(figures.get(first.name)!, before);
        note(figures.get(`${first.name}${AGAIN}`)!, after);
        others.push(others.shift()!);
        if (round % others.length === others.length - 1) others.reverse();
      }
    } finally {
      this.#signal('SIGCONT');
    }
    return figures;
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const { pid } of this.#sides) process.kill(pid, signal);
  }

  async stop(): Promise<void> {
    for (const target of this.#targets.values()) await target.stop();
  }
}

async function slice({ pid, load }: Lone, kind: WriteKind, statements: number): Promise<Slice> {
  process.kill(pid, 'SIGCONT');
  await becomesCalm(pid);
  const [cpuBefore, mainBefore] = [await readRunTime(pid), await readThreadRunTime(pid, pid)];
  const startedAt = performance.now();
  const done = await load.run(kind, statements);
  const time = ((performance.now() - startedAt) * 1000) / done;
  const [cpuAfter, mainAfter] = [await readRunTime(pid), await readThreadRunTime(pid, pid)];
  process.kill(pid, 'SIGSTOP');
  const cpu = cpuAfter - cpuBefore;
  return { time, cpu: cpu / done, worker: (cpu - (mainAfter - mainBefore)) / done };
}

async function becomesCalm(pid: number): Promise<void> {
  for (let before = await readRunTime(pid); ; ) {
    await sleep(CALM_MS);
    const now = await readRunTime(pid);
    if (now - before < CALM_MICROSECONDS) return;
    before = now;
  }
}

function note(figures: SideFigures, { time, cpu, worker }: Slice): void {
  figures.queriesPerSecond.push(MICROSECONDS_PER_SECOND / time);
  figures.cpuMicroseconds.push(cpu);
  figures.workerMicroseconds.push(worker);
}

/** Of two measurements of the same in each round. */
export function meanOf(one: SideFigures, other: SideFigures): SideFigures {
  const mean = (a: readonly number[], b: readonly number[]): number[] =>
    a.map((value, round) => (value + b[round]!) / 2);
  return {
    queriesPerSecond: mean(one.queriesPerSecond, other.queriesPerSecond),
    cpuMicroseconds: mean(one.cpuMicroseconds, other.cpuMicroseconds),
    workerMicroseconds: mean(one.workerMicroseconds, other.workerMicroseconds),
  };
}
