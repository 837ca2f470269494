/** How Sluice changes the primary: by order (SWITCHOVER, FAILOVER, REJOIN), and by itself where it is allowed to. */
import * as z from 'zod';
import { describe, integer, milliseconds, optionalText, section } from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';
import { pem } from './transport-schema.ts';

const etcdSection = section('Where several Sluices agree which of them changes the servers.', {
  endpoints: describe(z.array(z.string().min(1)).max(64).default([]), {
    description:
      'Of etcd (3.4 or later), each `http://host:port` or `https://host:port`. Needed where several Sluices stand in front of the same servers; a Sluice that does not reach etcd changes nothing.',
    reloadable: false,
    defaultText: 'none: this Sluice is alone',
  }),
  prefix: describe(z.string().min(1).default('sluice'), {
    description: 'What its keys begin with: the same for all Sluices in front of the same servers.',
    reloadable: false,
  }),
  name: optionalText({
    description: 'Of this Sluice, different from all others.',
    reloadable: false,
    defaultText: 'host name and process id',
  }),
  ttlMs: integer(2000, 600_000, 3000, {
    description: 'A Sluice that is gone is followed by another one after this time; whole seconds.',
    unit: 'ms',
    reloadable: false,
  }),
  timeoutMs: integer(50, 60_000, 800, {
    description: 'A call of etcd that takes longer has failed.',
    unit: 'ms',
    reloadable: false,
  }),
  username: optionalText({ description: 'Account of etcd.', reloadable: false, defaultText: 'none' }),
  password: optionalPassword({ description: 'Its password.', reloadable: false, defaultText: 'none' }),
  ca: pem("Authorities that sign etcd's certificates", "the system's"),
  certificate: pem("Sluice's own certificate, for an etcd that asks for one"),
  key: pem('Its private key'),
});

export const failoverSection = section('How Sluice changes the primary, by order and by itself.', {
  automatic: describe(z.boolean().default(false), {
    description: 'Promote a replica when the primary is dead, without being told to.',
  }),
  resolveCommits: describe(z.boolean().nullable().default(null), {
    description:
      'Find out from the binlog whether a transaction is there whose connection was lost between COMMIT and its answer. A SAVEPOINT goes in front of each COMMIT that may have something to commit.',
    defaultText: 'as `failover.automatic`',
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
    5000,
    'A replica that needs longer than this to have everything that the primary has now is refused by SWITCHOVER as lagging. Writes are held only when it is closer than 200 ms.',
  ),
  statementTimeoutMs: milliseconds(
    1000,
    5000,
    'A statement of an operation (read_only, replication) that a server has not answered by then has failed.',
  ),
  confirmMs: milliseconds(
    0,
    1000,
    'All signs have to say for this long that the primary is dead before another server is promoted.',
  ),
  quorum: describe(z.enum(['majority', 'any']).default('majority'), {
    description:
      'How many of the replicas that are known must answer, so that none with more transactions is overlooked: `majority` (more than half of them), or `any`.',
  }),
  applyTimeoutMs: milliseconds(
    1000,
    60_000,
    'What the new primary has received of the dead one and not executed yet is waited for this long; after that nothing is promoted.',
  ),
  minIntervalMs: milliseconds(
    0,
    60_000,
    'A server that failed as primary is not promoted by an automatic failover for this long, so that two that fail in turns are not promoted in turns.',
  ),
  rejoin: describe(z.boolean().default(true), {
    description:
      'With `automatic`: servers whose source is gone replicate from the new primary; an old primary that comes back is set read-only, and replicates if it has nothing of its own.',
  }),
  endTransactionsAfterMs: milliseconds(
    0,
    2000,
    'Transactions of clients past Sluice that are still open on a server so long after it has lost its place as primary are ended with KILL: they cannot be committed any more, and the rows that they have locked hold up replication. Where neither `automatic` is set nor Sluice has moved the primary itself, they are only told of. 0: always only told of.',
  ),
  etcd: etcdSection,
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
