/** Connections to the servers. */
import { MAX_CONNECTIONS } from './capacity.ts';
import { integer, milliseconds, section } from './schema-parts.ts';

export const poolSection = section('Connections to the servers.', {
  maxConnections: integer(1, MAX_CONNECTIONS, 100, {
    description: 'Most connections to one server over all workers.',
    unit: 'connections',
  }),
  minIdle: integer(0, MAX_CONNECTIONS, 0, {
    description:
      'Idle connections that are kept once they are open, for each worker, server and user, whatever `idleTimeoutMs` says.',
    unit: 'connections',
  }),
  idleTimeoutMs: milliseconds(1, 300_000, 'An idle connection is closed after this time.'),
  maxLifetimeMs: milliseconds(
    1000,
    3_600_000,
    'A connection older than this is closed when it is next idle.',
  ),
  connectTimeoutMs: milliseconds(1, 2000, 'Time for connecting to a server and logging in.'),
  maxConnecting: integer(1, 1000, 10, {
    description: 'Connections that one worker opens to one server at the same time.',
    unit: 'connections',
  }),
  waitTimeoutMs: milliseconds(1, 10_000, 'A statement waits this long for a connection, then gets an error.'),
  waitQueueLength: integer(1, 1_000_000, 10_000, {
    description: 'Most statements that wait for a connection of one server in one worker.',
    unit: 'statements',
  }),
  pipelineDepth: integer(1, 1024, 16, {
    description: 'Most short reads in flight on one connection; 1 turns pipelining off.',
    unit: 'statements',
  }),
  maxStatementsPerConnection: integer(1, 16_382, 100, {
    description:
      'Prepared statements that are kept on one connection; the longest unused is closed for a new one.',
    unit: 'statements',
  }),
});
