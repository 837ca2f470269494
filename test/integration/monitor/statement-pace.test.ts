/** What watching costs a server: at most 20 statements a second, however many workers there are. */

import t from 'tap';
import { GeneralLog } from '../../support/general-log.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const MOST_PER_SECOND = 20;
const HEARTBEATS = 20;

const set = new ReplicationSet({ sql: ['CREATE TABLE app.t (n INT)'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('all checks, samples and heartbeats together', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    // As it is by default.
    config: { workers: 6, monitor: { intervalMs: 1000 } },
  });
  t.teardown(() => sluice.dispose());
  const client = await sluice.connect();
  const heartbeat = () => set.primary.queryValue('SELECT ts FROM sluice.heartbeat');
  await waitUntil('heartbeats are written', heartbeat);

  const log = await GeneralLog.start(set.servers);
  const startedAt = performance.now();
  for (let beat = 0, last = await heartbeat(); beat < HEARTBEATS; beat++) {
    await client.query('INSERT INTO t VALUES (1)');
    await client.query('SELECT COUNT(*) FROM t');
    last = await waitUntil('the next heartbeat', async () => {
      const ts = await heartbeat();
      return ts === last ? null : ts;
    });
  }
  const all = await log.entries();
  // What a replica applies is logged there as well.
  const replicated = new Set(
    all.filter(({ server, argument }) => server !== 'primary' && /^(INSERT|BEGIN|COMMIT)/.test(argument)),
  );
  const entries = all.filter((entry) => !replicated.has(entry));
  const seconds = (performance.now() - startedAt) / 1000;

  for (const server of set.servers) {
    const own = entries.filter(
      ({ server: name, command, argument }) =>
        name === server.name &&
        command === 'Query' &&
        !/\bt\b|FROM sluice\.heartbeat$|general_log/.test(argument),
    );
    const rate = own.length / seconds;
    t.ok(rate > 1 && rate <= MOST_PER_SECOND, `${server.name}: ${rate.toFixed(1)} statements a second`);
    const beats = own.filter(({ argument }) => argument.startsWith('INSERT INTO `sluice`.`heartbeat`'));
    const samples = own.filter(({ argument }) => argument.startsWith('SELECT ts FROM `sluice`'));
    t.comment(
      `${server.name}: ${beats.length} heartbeats, ${samples.length} samples in ${seconds.toFixed(1)} s`,
    );
    t.equal(beats.length > 0, server === set.primary, 'heartbeats are written on the primary alone');
    t.ok(samples.length > 0);
  }
  await client.end();
});
