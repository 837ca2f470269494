/** Several Sluices in front of the same servers under the same load, in many short rounds. */

import type { ConfigObject } from '../../test/support/sluice-process.ts';
import { type BackendServers, endpointAt } from './backend-servers.ts';
import { type PairedRatio, pairedRatio, ratioText } from './paired-ratio.ts';
import { measureSysbench, type StatementProtocol, type SysbenchResult, type Workload } from './sysbench.ts';
import { startBase } from './targets/sluice-target.ts';
import type { Target } from './targets/target.ts';
import { formatNumber, renderTable } from './text-table.ts';

export interface Side {
  readonly name: string;
  /** Its checkout. */
  readonly directory: string;
  readonly config: ConfigObject;
}

export interface Load {
  readonly workload: Workload;
  readonly protocol: StatementProtocol;
  readonly clients: number;
  readonly seconds: number;
  /** All sides at the same time, each with so many clients, instead of one after the other. */
  readonly together: boolean;
}

export interface SideFigures {
  readonly queriesPerSecond: number[];
  /** Of the whole process, per query. */
  readonly cpuMicroseconds: number[];
  /** Without the main thread: of the data plane. */
  readonly workerMicroseconds: number[];
}

/** Each with one worker, in front of the same servers. @param targets gets them, also those of a start that fails in the end */
export async function startSides(
  servers: BackendServers,
  sides: readonly Side[],
  clients: number,
  targets: Map<string, Target>,
): Promise<void> {
  for (const { name, directory, config } of sides) {
    const common = { set: servers.set, threads: 1, maxBusyClients: clients, sluiceArgs: [] };
    const base = { directory, args: [] };
    const options = { ...common, base, proxysqlBinary: null, sluiceConfig: config };
    targets.set(name, await startBase(options));
  }
}

export class Sides {
  readonly #servers: BackendServers;
  readonly #targets = new Map<string, Target>();

  private constructor(servers: BackendServers) {
    this.#servers = servers;
  }

  static async start(servers: BackendServers, sides: readonly Side[], clients: number): Promise<Sides> {
    const all = new Sides(servers);
    try {
      await startSides(servers, sides, clients, all.#targets);
    } catch (error) {
      await all.stop();
      throw error;
    }
    return all;
  }

  /**
   * Each side once in each round. One after the other, who is the first changes, and so does who comes behind whom; together,
   * what disturbs the machine disturbs all of them alike, and the time per query says nothing.
   */
  async measure(
    load: Load,
    rounds: number,
    warmUpSeconds: number,
  ): Promise<ReadonlyMap<string, SideFigures>> {
    const figures = new Map<string, SideFigures>();
    const order = [...this.#targets];
    for (const [name] of order)
      figures.set(name, { queriesPerSecond: [], cpuMicroseconds: [], workerMicroseconds: [] });
    for (const [, target] of order) await this.#run(target, { ...load, seconds: warmUpSeconds });
    for (let round = 0; round < rounds; round++) {
      if (load.together)
        await Promise.all(order.map(([name, target]) => this.#note(figures.get(name)!, target, load)));
      else for (const [name, target] of order) await this.#note(figures.get(name)!, target, load);
      await this.#servers.settle();
      // Two sides take turns by it; more of them get to be everywhere.
      order.push(order.shift()!);
      if (round % order.length === order.length - 1) order.reverse();
    }
    return figures;
  }

  async #note(figures: SideFigures, target: Target, load: Load): Promise<void> {
    const { report, runMicroseconds, mainRunMicroseconds } = await this.#run(target, load);
    figures.queriesPerSecond.push(report.queriesPerSecond);
    figures.cpuMicroseconds.push(runMicroseconds / report.queries);
    figures.workerMicroseconds.push((runMicroseconds - mainRunMicroseconds) / report.queries);
  }

  async #run(target: Target, load: Load): Promise<SysbenchResult> {
    const result = await measureSysbench({
      ...this.#servers.tables,
      ...load,
      endpoint: endpointAt(target.port),
      measuredPid: target.pid,
    });
    if (!load.together) await this.#servers.settle();
    return result;
  }

  async stop(): Promise<void> {
    for (const target of this.#targets.values()) await target.stop();
  }
}

export interface SideRatios {
  readonly cpu: PairedRatio;
  readonly workerCpu: PairedRatio;
  /** Time per query: the inverse of the throughput. */
  readonly time: PairedRatio;
}

export function ratiosTo(base: SideFigures, side: SideFigures): SideRatios {
  return {
    cpu: pairedRatio(side.cpuMicroseconds, base.cpuMicroseconds),
    workerCpu: pairedRatio(side.workerMicroseconds, base.workerMicroseconds),
    time: pairedRatio(base.queriesPerSecond, side.queriesPerSecond),
  };
}

/** Medians of all sides, and their ratios to the first one with what they may be off by. */
export function sidesTable(all: ReadonlyMap<string, SideFigures>): string {
  const [first] = all.values();
  const middle = (values: readonly number[]): number =>
    pairedRatio(
      values,
      values.map(() => 1),
    ).median;
  const rows = [...all].map(([name, figures]) => {
    const { cpu, workerCpu, time } = ratiosTo(first!, figures);
    return [
      name,
      formatNumber(middle(figures.queriesPerSecond)),
      middle(figures.cpuMicroseconds).toFixed(2),
      ratioText(cpu),
      middle(figures.workerMicroseconds).toFixed(2),
      ratioText(workerCpu),
      ratioText(time),
    ];
  });
  const [base] = all.keys();
  return renderTable(
    ['side', 'q/s', 'CPU µs', `CPU ÷ ${base}`, 'workers µs', `workers ÷ ${base}`, `time ÷ ${base}`],
    rows,
    1,
  );
}
