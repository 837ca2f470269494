/** What clients may take. */
import { MAX_CONNECTIONS, MAX_PACKET_BYTES } from './capacity.ts';
import { integer, milliseconds, section } from './schema-parts.ts';

export const limitsSection = section('What one client, and all clients together, may take.', {
  maxConnections: integer(1, MAX_CONNECTIONS, 10_000, {
    description:
      'Most client connections over all workers; one more gets error 1040. Less unless it is set, where memory or open files are limited.',
    unit: 'connections',
  }),
  maxPacketBytes: integer(1024, MAX_PACKET_BYTES, MAX_PACKET_BYTES, {
    description:
      'Longest statement; a longer one gets error 1153. The default is the most that a server can allow; where memory is limited, a 16th of that, and 16 MiB at least.',
    unit: 'bytes',
  }),
  handshakeTimeoutMs: milliseconds(1, 10_000, 'A client that has not logged in by then is disconnected.'),
  loginDelayMs: milliseconds(
    0,
    100,
    'The fourth refusal in a row of one user from one host is held back for this long, each further one for twice as long; 0 answers all at once.',
  ),
  loginDelayMaxMs: milliseconds(0, 5000, 'No refusal is held back for longer.'),
  idleTimeoutMs: milliseconds(1, 28_800_000, 'A client that sends nothing for this long is disconnected.'),
  shutdownGraceMs: milliseconds(
    0,
    30_000,
    'On SIGTERM, running statements and transactions get this long to finish; 0 ends them at once.',
  ),
  shutdownDelayMs: milliseconds(
    0,
    0,
    'From SIGTERM on `/readyz` answers 503, but clients are let in and served for this long: the time that load balancers and Kubernetes need to send them elsewhere. `limits.shutdownGraceMs` begins after it.',
  ),
  noServerWaitMs: milliseconds(
    0,
    10_000,
    'A statement waits this long for its hostgroup to have a server; 0 answers the error at once.',
  ),
  heldBytes: integer(65_536, 4_294_967_296, 67_108_864, {
    description:
      'Statements that wait in one worker for a primary, or because writes are held while it changes, may take so much together; one more gets error 9040.',
    unit: 'bytes',
  }),
  queryTimeoutMs: milliseconds(
    0,
    0,
    'A statement that takes longer is killed on its server, unless a query rule gives it another time; 0 sets no limit.',
  ),
  digestCacheEntries: integer(1, 10_000_000, 10_000, {
    description: 'Statement digests that each worker remembers the classification of.',
    unit: 'entries',
    reloadable: false,
  }),
  // With less than this waiting a stream may never tell that it has drained.
  writeBufferBytes: integer(131_072, MAX_PACKET_BYTES, 1_048_576, {
    description: 'Answer bytes held for a slow client before its server is paused, and its commands wait.',
    unit: 'bytes',
  }),
  maxPreparedStatements: integer(1, 10_000_000, 100_000, {
    description: 'Prepared statements that the clients of one worker may have; one more gets error 1461.',
    unit: 'statements',
  }),
  maxPreparedBytes: integer(1024, 16_000_000_000, 134_217_728, {
    description: 'Bytes of their texts, equal ones counted once; more gets error 1461.',
    unit: 'bytes',
  }),
  ruleTextBytes: integer(1024, 16_777_216, 65_536, {
    description:
      'Query rules look at this much of a statement (`matchPattern`) and of its digest (`matchDigest`), from the start; what stands behind it matches nothing, and is not replaced.',
    unit: 'bytes',
  }),
  routeRingEntries: integer(0, 100_000, 1024, {
    description:
      'Last statements that each worker remembers the route and its reason of, for `SHOW ROUTES`; 0 turns it off.',
    unit: 'statements',
  }),
});
