/** The metrics page: what the shared counters say, and what Node says of the process. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CounterSnapshot } from './counter-snapshot.ts';
import { PROXYSQL_METRICS } from './proxysql-metrics.ts';
import { registerMetrics, SHARED_METRICS } from './shared-metrics.ts';
import { registerDurations } from './statement-metrics.ts';

export interface MetricsRegistry {
  readonly contentType: string;
  render(): Promise<string>;
}

/** @param readCounters copies the shared counters; called once for each scrape */
export function createMetricsRegistry(version: string, readCounters: () => CounterSnapshot): MetricsRegistry {
  const registry = new Registry();
  let current: CounterSnapshot | null = null;
  const read = (): CounterSnapshot => {
    current ??= readCounters();
    return current;
  };
  registerMetrics(SHARED_METRICS, registry, read);
  registerDurations(registry, read);
  registerMetrics(PROXYSQL_METRICS, registry, read);
  new Gauge({
    name: 'sluice_build_info',
    help: 'Version of Sluice and of Node; always 1',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.versions.node }, 1);
  // Names without our prefix, as dashboards for Node processes expect them.
  collectDefaultMetrics({ register: registry });
  return {
    contentType: registry.contentType,
    async render() {
      // All metrics of one page show one moment.
      current = readCounters();
      return registry.metrics();
    },
  };
}
