import type { AppliedVersion } from '../../runtime/version-history.ts';
import type { AdminState, AdminWorkerVersion } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row extends AdminWorkerVersion {
  readonly published: number;
  /** Of the configuration; null before the first. */
  readonly configuration: AppliedVersion | null;
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  { name: 'worker', type: 'number', meaning: 'Number of the worker thread', value: ({ worker }) => worker },
  {
    name: 'applied_version',
    type: 'number',
    meaning: 'Version of topology and settings that it works with; 0 before the first',
    value: ({ version }) => version,
  },
  {
    name: 'published_version',
    type: 'number',
    meaning: 'Version that it should work with',
    value: ({ published }) => published,
  },
  {
    name: 'current',
    meaning: '`YES` where the two are equal and the worker runs, else `NO`',
    value: ({ running, version, published }) => (running && version === published ? 'YES' : 'NO'),
  },
  {
    name: 'configuration',
    type: 'number',
    meaning: 'The version of SHOW RUNTIME VERSIONS that it works with',
    value: ({ configuration }) => configuration?.number ?? 0,
  },
  {
    name: 'applied_by',
    meaning: 'Who brought that one into force',
    value: ({ configuration }) => configuration?.by ?? '',
  },
];

function rowsOf(state: AdminState): Row[] {
  const published = state.counters().snapshotVersion;
  return state.versions().map((worker) => ({
    ...worker,
    published,
    configuration: worker.version === 0 ? null : state.runtime.versionOfSnapshot(worker.version),
  }));
}

export const showVersions: AdminCommand = {
  name: 'SHOW VERSIONS',
  syntax: 'SHOW VERSIONS',
  help: 'Which version of topology and settings each worker has applied, and whose configuration it is',
  pattern: /^SHOW VERSIONS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(rowsOf(state), COLUMNS),
};
