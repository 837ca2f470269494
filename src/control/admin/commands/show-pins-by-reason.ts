import type { WorkerSnapshot } from '../../metrics/counter-snapshot.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface ReasonRow {
  readonly reason: string;
  readonly now: number;
  readonly started: number;
}

const COLUMNS: readonly ComputedColumn<ReasonRow>[] = [
  {
    name: 'pin',
    meaning: 'Why sessions are bound to their server connections',
    value: ({ reason }) => reason,
  },
  {
    name: 'sessions',
    type: 'number',
    meaning: 'Sessions that are so now; one may be so for several reasons',
    value: ({ now }) => now,
  },
  {
    name: 'started',
    type: 'number',
    meaning: 'How often it has happened since the start of Sluice',
    value: ({ started }) => started,
  },
];

/** Over all workers; reasons that have not occurred too. */
function sum(workers: readonly WorkerSnapshot[]): ReasonRow[] {
  const [first] = workers;
  if (first === undefined) return [];
  return first.pins.map(({ reason }, index) => ({
    reason,
    now: workers.reduce((total, { pins }) => total + pins[index]!.now, 0),
    started: workers.reduce((total, { pins }) => total + pins[index]!.started, 0),
  }));
}

export const showPinsByReason: AdminCommand = {
  name: 'SHOW PINS BY REASON',
  syntax: 'SHOW PINS BY REASON',
  help: 'How many sessions are pinned for each reason now, and how often that has happened',
  pattern: /^SHOW PINS BY REASON$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(sum(state.counters().workers), COLUMNS),
};
