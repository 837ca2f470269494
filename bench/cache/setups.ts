/** Sluices that differ in their configuration, in front of the same servers. */

import type { ConfigObject } from '../../test/support/sluice-process.ts';
import { type BackendServers, endpointAt } from '../e2e/backend-servers.ts';
import { measureSysbench, type SysbenchRun } from '../e2e/sysbench.ts';
import type { SysbenchReport } from '../e2e/sysbench-report.ts';
import { startSluice } from '../e2e/targets/sluice-target.ts';
import type { Target } from '../e2e/targets/target.ts';

export interface SetupLoad
  extends Pick<SysbenchRun, 'workload' | 'protocol' | 'clients' | 'seconds' | 'mix'> {}

export interface SetupFigures {
  readonly report: SysbenchReport;
  readonly queriesPerSecond: number;
  readonly cpuMicroseconds: number;
}

/** One worker each. @param started those that have to be stopped, whatever happens */
export async function startSetups(
  { set }: BackendServers,
  setups: Readonly<Record<string, ConfigObject>>,
  clients: number,
  started: Map<string, Target>,
): Promise<void> {
  for (const [name, sluiceConfig] of Object.entries(setups)) {
    const common = { set, threads: 1, maxBusyClients: clients, sluiceArgs: [] };
    started.set(name, await startSluice({ ...common, base: null, proxysqlBinary: null, sluiceConfig }));
  }
}

export async function measureSetup(
  target: Target,
  servers: BackendServers,
  load: SetupLoad,
): Promise<SetupFigures> {
  const { report, cpu } = await measureSysbench({
    ...servers.tables,
    ...load,
    endpoint: endpointAt(target.port),
    measuredPid: target.pid,
  });
  const spent = cpu === null ? Number.NaN : cpu.userMicroseconds + cpu.systemMicroseconds;
  return { report, queriesPerSecond: report.queriesPerSecond, cpuMicroseconds: spent / report.queries };
}
