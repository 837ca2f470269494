/** Restarts in which another process takes over. */

import { gauge, type SharedMetric } from './shared-metric.ts';

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
  gauge(
    'sluice_handover_predecessor',
    '1 while the process before this one still has clients: strong entries are not served, and reads at the level `table` go to the primary',
    ({ handover }) => Number(handover.before !== null),
  ),
  gauge(
    'sluice_handover_predecessor_clients',
    'Clients that the process before this one still has',
    ({ handover }) => handover.before?.clients ?? 0,
  ),
];
