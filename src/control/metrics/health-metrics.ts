/** What alerts go by besides numbers: whether it is well, and what would go wrong next. */

import { HostgroupKind, MemberVerdict } from '../../topology/hostgroup-membership.ts';
import type { CertificateEnd } from '../certificate-ends.ts';
import { FailoverObstacle } from '../failover/failover-obstacles.ts';
import { gauge, optional, type SharedMetric } from './shared-metric.ts';

export interface HealthNumbers {
  /** As `/readyz` says. */
  readonly isReady: boolean;
  readonly failoverObstacles: readonly FailoverObstacle[];
  /** Writes whose connection was lost, and that may still run. */
  readonly writesInDoubt: number;
  readonly certificates: readonly CertificateEnd[];
  /** What the file said when it was last read could not come into force. */
  readonly isFileRefused: boolean;
  /** In force, by setting. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of a control group, or what the machine has. */
  readonly memoryLimitBytes: number;
  /** Null where the system sets it. */
  readonly workerHeapBytes: number | null;
}

/** Before anything has started. */
export const NO_HEALTH: HealthNumbers = {
  isReady: false,
  failoverObstacles: [],
  writesInDoubt: 0,
  certificates: [],
  isFileRefused: false,
  sizes: new Map(),
  memoryLimitBytes: 0,
  workerHeapBytes: null,
};

export const HEALTH_METRICS: readonly SharedMetric[] = [
  gauge('sluice_ready', '1 while /readyz says that clients should come here', ({ health }) =>
    Number(health.isReady),
  ),
  {
    name: 'sluice_hostgroup_members',
    help: 'Servers of a hostgroup by whether they serve it (fit), or why not',
    kind: 'gauge',
    labelNames: ['hostgroup', 'kind', 'verdict'],
    samples: ({ hostgroups }) =>
      hostgroups.flatMap(({ id, kind, members }) =>
        verdictsOf(kind).map((verdict) => ({
          labels: { hostgroup: String(id), kind, verdict },
          value: members.filter((member) => member.verdict === verdict).length,
        })),
      ),
  },
  {
    name: 'sluice_server_replication_running',
    help: '1 while the replication threads of a replica run; absent for who replicates from nobody',
    kind: 'gauge',
    labelNames: ['server'],
    samples: ({ servers }) =>
      servers.flatMap(({ address, replicationRunning }) =>
        replicationRunning === null
          ? []
          : [{ labels: { server: address }, value: Number(replicationRunning) }],
      ),
  },
  {
    name: 'sluice_failover_obstacle',
    help: '1 for what keeps Sluice from failing over by itself if the primary died now',
    kind: 'gauge',
    labelNames: ['obstacle'],
    samples: ({ health }) =>
      Object.values(FailoverObstacle).map((obstacle) => ({
        labels: { obstacle },
        value: Number(health.failoverObstacles.includes(obstacle)),
      })),
  },
  {
    name: 'sluice_operation_last_timestamp_seconds',
    help: 'When the last operation of a kind that was carried out has ended, since 1970; 0 for none since the start',
    kind: 'gauge',
    labelNames: ['operation'],
    samples: ({ operations }) =>
      operations.lastDone.map(({ operation, atMs }) => ({
        labels: { operation },
        value: Math.round(atMs / 1000),
      })),
  },
  gauge(
    'sluice_writes_in_doubt',
    'Writes whose connection was lost and that may still run on the server: their tables are not cached',
    ({ health }) => health.writesInDoubt,
  ),
  gauge(
    'sluice_configuration_refused',
    '1 while what the file said when it was last read could not come into force: what was before it still is',
    ({ health }) => Number(health.isFileRefused),
  ),
  {
    name: 'sluice_size',
    help: 'Sizes in force, by the setting that they come from, or that they were made to fit the machine in place of',
    kind: 'gauge',
    labelNames: ['setting'],
    samples: ({ health }) => [...health.sizes].map(([setting, value]) => ({ labels: { setting }, value })),
  },
  gauge(
    'sluice_memory_limit_bytes',
    'Memory that Sluice can have: the limit of its control group, or what the machine has',
    ({ health }) => health.memoryLimitBytes,
  ),
  optional(
    'sluice_worker_heap_limit_bytes',
    'Heap beyond which a worker is started again; absent where there is no limit of memory',
    ({ health }) => health.workerHeapBytes,
  ),
  {
    name: 'sluice_certificate_expiry_timestamp_seconds',
    help: 'When a certificate that Sluice shows ends, since 1970, by the setting that names it; absent where there is none',
    kind: 'gauge',
    labelNames: ['setting'],
    samples: ({ health }) =>
      health.certificates.map(({ setting, endsAtMs }) => ({
        labels: { setting },
        value: Math.round(endsAtMs / 1000),
      })),
  },
];

const ALL_VERDICTS = Object.values(MemberVerdict);
/** Who writes is not judged by lag. */
const OF_WRITERS: readonly MemberVerdict[] = [
  MemberVerdict.fit,
  MemberVerdict.shunned,
  MemberVerdict.offlineSoft,
  MemberVerdict.offlineHard,
];

function verdictsOf(kind: HostgroupKind): readonly MemberVerdict[] {
  return kind === HostgroupKind.writer ? OF_WRITERS : ALL_VERDICTS;
}
