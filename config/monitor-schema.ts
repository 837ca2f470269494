/** How the servers are watched. */
import * as z from 'zod';
import { describe, integer, milliseconds, optionalText, section } from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';

/** As `schema.table`; each a name that needs no more than backticks. */
const HEARTBEAT_TABLE = /^[^`.\s\0]{1,64}\.[^`.\s\0]{1,64}$/;

const heartbeatSection = section('How the lag of replicas is measured to the millisecond.', {
  table: describe(
    z.string().regex(HEARTBEAT_TABLE, 'expected schema.table').nullable().default('sluice.heartbeat'),
    {
      description:
        'A table as `pt-heartbeat` has it, `schema.table`; empty: none, lag is what replicas say in whole seconds.',
    },
  ),
  write: describe(z.boolean().default(true), {
    description:
      'Sluice makes the table and writes into it, on the primary only; `false`: somebody else does (`pt-heartbeat --update`).',
  }),
  intervalMs: milliseconds(
    100,
    250,
    'Time between two heartbeats, and between two samples of lag and GTIDs of a server (one statement each).',
  ),
});

const lagSection = section(
  'When a replica with a limit of its lag (`maxReplicationLagMs`) leaves the reads.',
  {
    leaveAfter: integer(1, 1000, 2, {
      description: 'Samples over the limit in a row before it gets no reads.',
      unit: 'samples',
    }),
    returnAfter: integer(1, 1000, 3, {
      description: 'Samples under the limit in a row before it gets reads again. One that failed is neither.',
      unit: 'samples',
    }),
  },
);

export const monitorSection = section('How Sluice watches the servers, with an account of its own.', {
  username: optionalText({
    description:
      'Account on every server, with REPLICATION CLIENT (MariaDB 10.5+: also REPLICA MONITOR) and, for the definitions of views, SELECT and SHOW VIEW on `*.*`.',
    defaultText: 'required',
  }),
  password: optionalPassword({ description: 'Its password.', defaultText: 'none' }),
  intervalMs: milliseconds(
    10,
    1000,
    'Time between two checks of one kind (ping, read_only, replication) of a server.',
  ),
  connectIntervalMs: milliseconds(10, 10_000, 'Time between two trials to connect to a server that is well.'),
  timeoutMs: milliseconds(10, 800, 'A check that takes longer has failed.'),
  failureThreshold: integer(1, 1000, 3, {
    description: 'Failed checks in a row before a server is shunned.',
    unit: 'checks',
  }),
  recoveryThreshold: integer(1, 1000, 2, {
    description: 'Good checks in a row before a shunned server is used again.',
    unit: 'checks',
  }),
  heartbeat: heartbeatSection,
  lag: lagSection,
  discovery: describe(z.boolean().default(true), {
    description: 'Find replicas from the primary, and the primary from a replica.',
  }),
  discoveryIntervalMs: milliseconds(100, 5000, 'Time between two searches for other servers.'),
  forgetDiscoveredAfterMs: milliseconds(
    1000,
    300_000,
    'A server that was discovered and has not been ONLINE for this long is forgotten.',
  ),
  catalogIntervalMs: milliseconds(
    100,
    5000,
    'Time between two readings of the view definitions from the primary.',
  ),
  catalogTimeoutMs: milliseconds(
    100,
    10_000,
    'A reading of the view definitions that takes longer has failed.',
  ),
  maxViews: integer(1, 1_000_000, 50_000, {
    description: 'Views that are looked at; with more of them no read of a table is proven.',
    unit: 'views',
  }),
  eventHistory: integer(1, 100_000, 1000, {
    description: 'Events that are kept to be shown.',
    unit: 'events',
  }),
});
