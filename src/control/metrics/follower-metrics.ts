/** How the binlog is followed: what `strong` means in the result cache depends on it. */

import type { FollowerReport } from '../binlog/binlog-follower.ts';
import { FollowerState } from '../monitor/binlog-follower-event.ts';
import { type MetricKind, type SharedMetric, single } from './shared-metric.ts';

function one(
  name: string,
  kind: MetricKind,
  help: string,
  read: (report: FollowerReport) => number | null,
): SharedMetric {
  return single(
    `sluice_binlog_follower_${name}`,
    kind,
    help,
    ({ follower }) => (follower === null ? null : read(follower)) ?? 0,
  );
}

export const FOLLOWER_METRICS: readonly SharedMetric[] = [
  {
    name: 'sluice_binlog_follower_state',
    help: '1 for the state that the follower is in',
    kind: 'gauge',
    labelNames: ['state'],
    samples: ({ follower }) =>
      Object.values(FollowerState).map((state) => ({
        labels: { state },
        value: (follower?.state ?? FollowerState.off) === state ? 1 : 0,
      })),
  },
  one(
    'age_milliseconds',
    'gauge',
    'Since it last knew of everything that was written; 0 where it does not follow',
    ({ ageMs }) => ageMs,
  ),
  {
    name: 'sluice_binlog_follower_age_quantile_milliseconds',
    help: 'How old its last word had become when the next one came: half of the times no older, 99 % of the times no older',
    kind: 'gauge',
    labelNames: ['quantile'],
    samples: ({ follower }) => {
      const ages = follower?.tally.ages();
      return [
        { labels: { quantile: '0.5' }, value: ages?.p50Ms ?? 0 },
        { labels: { quantile: '0.99' }, value: ages?.p99Ms ?? 0 },
      ];
    },
  },
  one('events_total', 'counter', 'Events of the binlog', ({ tally }) => tally.events),
  one('row_events_total', 'counter', 'Events with rows', ({ tally }) => tally.rowEvents),
  one('bytes_total', 'counter', 'Bytes of the binlog', ({ tally }) => tally.bytes),
  one('transactions_total', 'counter', 'Transactions', ({ tally }) => tally.transactions),
  one(
    'foreign_transactions_total',
    'counter',
    'Transactions that did not come through this Sluice',
    ({ tally }) => tally.foreignTransactions,
  ),
  one(
    'raises_total',
    'counter',
    'Tables whose entries foreign transactions have ended',
    ({ tally }) => tally.raises,
  ),
  one(
    'everything_raises_total',
    'counter',
    'Times that foreign statements have ended all entries',
    ({ tally }) => tally.everythingRaises,
  ),
  one('losses_total', 'counter', 'Connections to the binlog that have ended', ({ tally }) => tally.losses),
  one('suspensions_total', 'counter', 'Times that it could not go on', ({ tally }) => tally.suspensions),
];
