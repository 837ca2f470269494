/** How Sluice changes the primary: by order (SWITCHOVER, FAILOVER, REJOIN), and by itself where it is allowed to. */
import * as z from 'zod';
import { describe, integer, milliseconds, optionalText, section } from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';

export const failoverSection = section('How Sluice changes the primary, by order and by itself.', {
  automatic: describe(z.boolean().default(false), {
    description: 'Promote a replica when the primary is dead, without being told to.',
  }),
  replication: section('The account that servers replicate with.', {
    username: optionalText({
      description:
        'Account with REPLICATION SLAVE, for a server that has none of its own, such as a primary that becomes a replica. Without it: what a MySQL replica already has in `mysql.slave_master_info`; MariaDB does not show that.',
      defaultText: 'that of the replicas (MySQL)',
    }),
    password: optionalPassword({ description: 'Its password.', defaultText: 'none' }),
  }),
  candidates: describe(z.array(z.string().min(1)).max(256).default([]), {
    description:
      'Servers (`host:port`) that a failover prefers, best first, among those that have the most transactions.',
    defaultText: 'all alike',
  }),
  switchoverTimeoutMs: milliseconds(
    100,
    10_000,
    'SWITCHOVER undoes everything when the new primary cannot be made writable within this time after writes were held; `TIMEOUT n` overrides it.',
  ),
  maxLagMs: milliseconds(
    1,
    1000,
    'A replica that needs longer than this to have everything that the primary has now is refused by SWITCHOVER as lagging.',
  ),
  statementTimeoutMs: milliseconds(
    1000,
    5000,
    'A statement of an operation (read_only, replication) that a server has not answered by then has failed.',
  ),
  minIntervalMs: milliseconds(
    0,
    60_000,
    'Between two automatic failovers. A primary that fails again sooner is left to an operator.',
  ),
  hooks: section('Programs that are run before and after the primary changes.', {
    before: optionalText({
      description:
        'Path of an executable. It gets the operation as `SLUICE_…` variables and as JSON on its input; if it fails, nothing is changed.',
      defaultText: 'none',
    }),
    after: optionalText({
      description: 'The same, when the operation has ended, whatever its outcome; a failure is only told.',
      defaultText: 'none',
    }),
    timeoutMs: milliseconds(1, 10_000, 'It is killed after this time, and counts as failed.'),
  }),
  recordDays: integer(1, 3650, 30, {
    description: 'Finished operations are kept in the table `sluice.operation` of the servers for this long.',
    unit: 'days',
  }),
});
