import type { AppliedVersion } from '../../runtime/version-history.ts';
import type { AdminState } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row extends AppliedVersion {
  readonly inForce: boolean;
  readonly workers: string;
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  {
    name: 'version',
    type: 'number',
    meaning: 'For ROLLBACK RUNTIME TO; 1 is what Sluice has started with',
    value: ({ number }) => number,
  },
  {
    name: 'content_of',
    type: 'number',
    meaning: 'The version whose content it has: another one after a ROLLBACK',
    value: ({ source }) => source,
  },
  { name: 'in_force', meaning: '`YES` for the last one', value: ({ inForce }) => (inForce ? 'YES' : 'NO') },
  {
    name: 'workers',
    meaning: 'The worker threads that work with it now',
    value: ({ workers }) => workers,
  },
  {
    name: 'applied_at',
    meaning: 'When it came into force, UTC',
    value: ({ atMs }) => new Date(atMs).toISOString(),
  },
  { name: 'applied_by', meaning: 'The user and address, `start` or `SIGHUP`', value: ({ by }) => by },
  {
    name: 'command',
    meaning: 'The statement, without secrets; of SIGHUP the settings that had changed',
    value: ({ what }) => what,
  },
];

function rowsOf(state: AdminState): Row[] {
  const { runtime } = state;
  const current = runtime.versions.at(-1);
  const workers = state
    .versions()
    .filter(({ running }) => running)
    .map(({ worker, version }) => ({ worker, number: runtime.versionOfSnapshot(version)?.number }));
  return runtime.versions.map((version) => ({
    ...version,
    inForce: version === current,
    workers: workers.flatMap(({ worker, number }) => (number === version.number ? worker : [])).join(','),
  }));
}

export const showRuntimeVersions: AdminCommand = {
  name: 'SHOW RUNTIME VERSIONS',
  syntax: 'SHOW RUNTIME VERSIONS',
  help: 'The last 20 configurations that came into force: who brought them, and which workers work with them',
  pattern: /^SHOW RUNTIME VERSIONS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(rowsOf(state), COLUMNS),
};
