/** The metrics page, made when it is asked for the first time: of an idle sidecar perhaps nobody wants it. */
import type { CounterSnapshot } from './counter-snapshot.ts';
import type { MetricsRegistry } from './registry.ts';

/** The text format of Prometheus. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What Node says of its garbage and its event loop is counted from the first page on. */
export function deferMetricsRegistry(version: string, readCounters: () => CounterSnapshot): MetricsRegistry {
  let made: MetricsRegistry | null = null;
  return {
    contentType: CONTENT_TYPE,
    async render() {
      const { createMetricsRegistry } = await import('./registry.ts');
      made ??= createMetricsRegistry(version, readCounters);
      return made.render();
    },
  };
}
