/** Restarts in which another process takes over. */

import type { SharedMetric } from './shared-metrics.ts';

export const HANDOVER_METRICS: readonly SharedMetric[] = [
  {
    name: 'sluice_handovers_total',
    help: 'Restarts in which a new process took the listening sockets over, or was to and could not; counted on from one process to the next',
    kind: 'counter',
    labelNames: ['outcome'],
    samples: ({ handover }) => [
      { labels: { outcome: 'done' }, value: handover.done },
      { labels: { outcome: 'failed' }, value: handover.failed },
    ],
  },
  {
    name: 'sluice_handover_predecessor',
    help: '1 while the process before this one still has clients: strong entries are not served, and reads at the level `table` go to the primary',
    kind: 'gauge',
    labelNames: [],
    samples: ({ handover }) => [{ labels: {}, value: handover.before === null ? 0 : 1 }],
  },
  {
    name: 'sluice_handover_predecessor_clients',
    help: 'Clients that the process before this one still has',
    kind: 'gauge',
    labelNames: [],
    samples: ({ handover }) => [{ labels: {}, value: handover.before?.clients ?? 0 }],
  },
];
