/** What `sluice check` looks at: numbers with limits, and states that are good or not. */
import type { MetricSample, MetricsPage } from './metrics-page.ts';
import { Dimension, type ThresholdForm } from './threshold.ts';

export interface Measurement {
  /** Seconds, percent, or how many. */
  readonly value: number;
  /** A sentence's beginning: `the lag of db2:3306 is`. */
  readonly subject: string;
}

export interface NumberCriterion extends ThresholdForm {
  readonly name: string;
  readonly description: string;
  /** In words of a threshold; null: none unless told. */
  readonly warn: string | null;
  readonly crit: string | null;
  /** Null where there is nothing to measure: no replicas, no certificate. */
  measure(page: MetricsPage, nowSeconds: number): Measurement | null;
}

export interface StateCriterion {
  readonly name: string;
  readonly description: string;
  readonly severity: 'warn' | 'crit';
  /** What is wrong; null when it is well. */
  problem(page: MetricsPage): string | null;
}

const SECONDS = { dimension: Dimension.seconds, plainUnit: 1, isLeast: false } as const;
const MINUTES_AT_LEAST = { dimension: Dimension.seconds, plainUnit: 60, isLeast: true } as const;
const DAYS_AT_LEAST = { dimension: Dimension.seconds, plainUnit: 86_400, isLeast: true } as const;
const SHARE = { dimension: Dimension.share, plainUnit: 1, isLeast: false } as const;
const COUNT = { dimension: Dimension.count, plainUnit: 1, isLeast: false } as const;

export const NUMBER_CRITERIA: readonly NumberCriterion[] = [
  {
    name: 'lag',
    description: 'the replica that is furthest behind; seconds',
    ...SECONDS,
    warn: '30s',
    crit: '300s',
    measure: (page) => labelled(page.most('sluice_server_lag_seconds'), 'the lag of', 'server'),
  },
  {
    name: 'pool',
    description: 'connections in use, of the most that a server may have; %',
    ...SHARE,
    warn: '80%',
    crit: '95%',
    measure: poolUse,
  },
  {
    name: 'clients',
    description: 'client connections, of limits.maxConnections; %',
    ...SHARE,
    warn: '80%',
    crit: '95%',
    measure: (page) => {
      const share = shareOf(
        page.sum('sluice_frontend_connections'),
        page.sum('sluice_frontend_connections_limit'),
      );
      return share === null ? null : { value: share, subject: 'the use of client connections' };
    },
  },
  {
    name: 'pins',
    description: 'sessions pinned to a connection',
    ...COUNT,
    warn: null,
    crit: null,
    measure: (page) => ({
      value: page.sum('sluice_pinned_sessions'),
      subject: 'the number of pinned sessions',
    }),
  },
  {
    name: 'pinned',
    description: 'sessions pinned to a connection, of all sessions; %',
    ...SHARE,
    warn: null,
    crit: null,
    measure: (page) => {
      const share = shareOf(page.sum('sluice_pinned_sessions'), page.sum('sluice_sessions'));
      return share === null ? null : { value: share, subject: 'the share of pinned sessions' };
    },
  },
  {
    name: 'replicas-down',
    description: 'servers of reader hostgroups that cannot serve, and were not taken out by an operator',
    ...COUNT,
    warn: '0',
    crit: null,
    measure: (page) => ({
      value: readersOut(page),
      subject: 'the number of replicas that cannot serve',
    }),
  },
  {
    name: 'failover',
    description: 'since the last failover; minutes, at least',
    ...MINUTES_AT_LEAST,
    warn: '15m',
    crit: null,
    measure: (page, nowSeconds) => {
      const at = page.sum('sluice_operation_last_timestamp_seconds', { operation: 'failover' });
      return at === 0
        ? null
        : { value: Math.max(0, nowSeconds - at), subject: 'the time since the last failover' };
    },
  },
  {
    name: 'certificate',
    description: 'until the first certificate ends; days, at least',
    ...DAYS_AT_LEAST,
    warn: '21d',
    crit: '2d',
    measure: (page, nowSeconds) => {
      const first = page.least('sluice_certificate_expiry_timestamp_seconds');
      if (first === null) return null;
      return { value: first.value - nowSeconds, subject: `the time left of ${first.labels.setting}` };
    },
  },
  {
    name: 'doubts',
    description: 'writes whose connection was lost and that may still run',
    ...COUNT,
    warn: '0',
    crit: null,
    measure: (page) => ({
      value: page.sum('sluice_writes_in_doubt'),
      subject: 'the number of writes in doubt',
    }),
  },
  {
    name: 'held',
    description: 'statements that wait for a primary',
    ...COUNT,
    warn: null,
    crit: null,
    measure: (page) => ({
      value: page.sum('sluice_held_statements'),
      subject: 'the number of held statements',
    }),
  },
  {
    name: 'files',
    description: 'file descriptors in use, of those allowed; %',
    ...SHARE,
    warn: '80%',
    crit: '95%',
    measure: (page) => {
      const share = shareOf(page.sum('process_open_fds'), page.sum('process_max_fds'));
      return share === null ? null : { value: share, subject: 'the use of file descriptors' };
    },
  },
];

export const STATE_CRITERIA: readonly StateCriterion[] = [
  {
    name: 'ready',
    description: 'whether clients should come here (/readyz)',
    severity: 'crit',
    problem: (page) => (page.sum('sluice_ready') === 1 ? null : 'not ready for clients'),
  },
  {
    name: 'primary',
    description: 'whether there is a primary that takes writes',
    severity: 'crit',
    problem: (page) =>
      page.sum('sluice_hostgroup_members', { kind: 'writer', verdict: 'fit' }) > 0
        ? null
        : 'no primary takes writes',
  },
  {
    name: 'readers',
    description: 'whether each reader hostgroup with servers has one that serves',
    severity: 'crit',
    problem: (page) => {
      const empty = emptyReaders(page);
      return empty.length === 0 ? null : `no server of hostgroup ${empty.join(', ')} serves reads`;
    },
  },
  {
    name: 'workers',
    description: 'whether all workers run',
    severity: 'crit',
    problem: (page) => {
      const wanted = page.all('sluice_worker_restarts_total').length;
      const running = page.sum('sluice_workers_running');
      return running >= wanted ? null : `${running} of ${wanted} workers run`;
    },
  },
  {
    name: 'replication',
    description: 'whether the replication of all replicas runs',
    severity: 'warn',
    problem: (page) => {
      const stopped = page.all('sluice_server_replication_running').filter(({ value }) => value === 0);
      const servers = stopped.map(({ labels }) => labels.server).join(', ');
      return stopped.length === 0 ? null : `replication of ${servers} does not run`;
    },
  },
  {
    name: 'cache',
    description: 'whether what keeps the cache fresh is not suspended',
    severity: 'warn',
    problem: (page) =>
      page.sum('sluice_binlog_follower_state', { state: 'suspended' }) === 0
        ? null
        : 'the cache is suspended: the binlog cannot be followed',
  },
  {
    name: 'can-fail-over',
    description: 'whether it could fail over, where it would by itself',
    severity: 'warn',
    problem: (page) => {
      const obstacles = page
        .all('sluice_failover_obstacle')
        .flatMap(({ labels, value }) => (value === 1 ? (labels.obstacle ?? '') : []));
      if (obstacles.length === 0 || obstacles.includes('not-automatic')) return null;
      return `it could not fail over: ${obstacles.join(', ')}`;
    },
  },
];

function labelled(sample: MetricSample | null, what: string, label: string): Measurement | null {
  return sample === null ? null : { value: sample.value, subject: `${what} ${sample.labels[label]}` };
}

/** Percent; null of nothing. */
function shareOf(part: number, whole: number): number | null {
  return whole > 0 ? (part / whole) * 100 : null;
}

function poolUse(page: MetricsPage): Measurement | null {
  let most: Measurement | null = null;
  for (const { labels, value: limit } of page.all('sluice_server_connections_limit')) {
    const server = labels.server ?? '';
    const value = shareOf(page.sum('sluice_server_connections_in_use', { server }), limit);
    if (value !== null && (most === null || value > most.value))
      most = { value, subject: `the use of connections to ${server}` };
  }
  return most;
}

/** An operator wanted these. */
const ORDERED = new Set(['offline-soft', 'offline-hard', 'no-weight']);

function readersOut(page: MetricsPage): number {
  return page
    .all('sluice_hostgroup_members', { kind: 'reader' })
    .filter(({ labels: { verdict = '' } }) => verdict !== 'fit' && !ORDERED.has(verdict))
    .reduce((total, { value }) => total + value, 0);
}

function emptyReaders(page: MetricsPage): string[] {
  const byHostgroup = Map.groupBy(
    page.all('sluice_hostgroup_members', { kind: 'reader' }),
    ({ labels }) => labels.hostgroup ?? '',
  );
  return [...byHostgroup].flatMap(([hostgroup, members]) => {
    const count = members.reduce((total, { value }) => total + value, 0);
    const fit = members.find(({ labels }) => labels.verdict === 'fit')?.value ?? 0;
    return count > 0 && fit === 0 ? [hostgroup] : [];
  });
}
