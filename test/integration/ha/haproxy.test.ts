/**
 * HAProxy, with the configuration that comes with Sluice, in front of two Sluices that fail in every way: what clients
 * see, to the last connection. Long series of the same: bench/ha.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { findProgram, findProgramIfAny } from '../../support/find-program.ts';
import { NetworkNamespaces } from '../../support/network-namespaces.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Damage, judge, LongLived, NewConnections, type Verdict } from './entry-load.ts';
import { EntryStage, type NodeName } from './entry-stage.ts';
import { HaproxyEntry } from './haproxy-entry.ts';

const skip =
  (await findProgramIfAny(['haproxy'])) === null
    ? 'HAProxy is not installed'
    : (NetworkNamespaces.unavailableReason() ?? false);

const LONG_LIVED = 4;
const EVERY_MS = 20;
/** Long enough for HAProxy to see that it is leaving: two checks, half a second apart. */
const SHUTDOWN_DELAY_MS = 2500;

t.test('HAProxy in front of two Sluices', { skip }, async (t) => {
  t.match(await HaproxyEntry.check(), /Configuration file is valid/);
  const stage = await EntryStage.startFor(t, {
    replicas: 1,
    config: { limits: { shutdownDelayMs: SHUTDOWN_DELAY_MS }, auditLog: { clients: true } },
  });
  const entry = await HaproxyEntry.start(stage);
  t.teardown(() => entry.stop());

  t.test('the client is who it was', async (t) => {
    const { host } = stage.hostOf('client');
    const list = await stockClientAt('client', 'SHOW PROCESSLIST');
    const [own = ''] = list.split('\n').filter((line) => line.includes('SHOW PROCESSLIST'));
    t.match(own, new RegExp(`\\t${host.replaceAll('.', '\\.')}:\\d+\\t`), 'in the process list');
    await waitUntil('the login is in the audit log', () =>
      (['sluice1', 'sluice2'] as const).some((name) =>
        stage.sluice(name).log.some((line) => JSON.stringify(line).includes(`"${host}`)),
      ),
    );
  });

  t.test('all use one Sluice', async (t) => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => connect()));
    t.strictSame(await clients(), { sluice1: 20, sluice2: 0 });
    await Promise.all(connections.map((connection) => connection.end()));
  });

  t.test('killed: nobody who comes then has an error', async (t) => {
    const { fresh, long } = await underLoad(() => stage.sluice('sluice1').kill());
    t.strictSame(fresh.failedAfter, []);
    t.strictSame([...fresh.failedBefore, ...long.failedBefore], []);
    t.ok(fresh.caught.every(isLost), `in their login: ${fresh.caught}`);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`new again after ${fresh.recoveryMs} ms, sessions after ${long.recoveryMs} ms`);
  });

  t.test('it comes back, and everybody stays where they are', async (t) => {
    const seen = entry.log.length;
    await stage.sluice('sluice1').startAgain();
    await entry.waitForLog(/Server ready\/sluice1 is UP/, seen);
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect()));
    t.strictSame(await clients(), { sluice1: 0, sluice2: 5 });
    await Promise.all(connections.map((connection) => connection.end()));
  });

  t.test('frozen: it fails for those who come until HAProxy knows', async (t) => {
    let noticedMs = 0;
    const { fresh, long } = await underLoad(async () => {
      const seen = entry.log.length;
      stage.sluice('sluice2').signal('SIGSTOP');
      const atMs = performance.now();
      await entry.waitForLog(/Server ready\/sluice2 is DOWN/, seen);
      noticedMs = performance.now() - atMs;
    });
    stage.sluice('sluice2').signal('SIGCONT');
    t.strictSame(fresh.failedAfter, [], 'nobody when it knows');
    t.ok(fresh.caught.length > 0 && fresh.caught.every(isLost), `${fresh.caught.length} were told so`);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`noticed after ${noticedMs} ms, ${fresh.caught.length} connections lost`);
    await waitUntil('it is ready again', () => entry.log.some((line) => /ready\/sluice2 is UP/.test(line)));
  });

  t.test('its host is gone: they wait for a second', async (t) => {
    const { fresh, long } = await underLoad(async () => stage.network.setLink('sluice1', 'down'));
    const seen = entry.log.length;
    stage.network.setLink('sluice1', 'up');
    t.strictSame(fresh.failedAfter, []);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`new again after ${fresh.recoveryMs} ms, sessions after ${long.recoveryMs} ms`);
    await entry.waitForLog(/Server ready\/sluice1 is UP/, seen);
  });

  t.test('stopped: no error for anybody who comes, transactions end as they should', async (t) => {
    const open = await connect();
    await open.query('BEGIN');
    await open.query('INSERT INTO t (value) VALUES (77)');
    const { fresh, long } = await underLoad(async () => {
      const seen = entry.log.length;
      stage.sluice('sluice2').signal('SIGTERM');
      await entry.waitForLog(/Server ready\/sluice2 is stopping/, seen);
    });
    t.strictSame([...fresh.failedBefore, ...fresh.caught, ...fresh.failedAfter], []);
    t.strictSame([...long.failedBefore, ...long.caught, ...long.failedAfter].length, LONG_LIVED);
    await open.query('INSERT INTO t (value) VALUES (78)');
    await open.query('COMMIT');
    t.equal(await stage.set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE value IN (77, 78)'), '2');
    t.equal((await stage.sluice('sluice2').exited).code, 0);
  });

  t.test('no primary: clients are let in all the same', async (t) => {
    await stage.set.waitForSync();
    const seen = entry.log.length;
    const old = await connect();
    await stage.set.primary.stop();
    await entry.waitForLog(/backend 'ready' has no server available/, seen);
    for (const connection of [old, await connect()]) {
      const [rows] = await connection.query('SELECT COUNT(*) > 0 AS some FROM t');
      t.strictSame(rows, [{ some: 1 }], 'a replica answers');
      await connection.end();
    }
  });

  function connect() {
    return stage.sluice('sluice1').connect({ host: entry.host, port: entry.port });
  }

  async function clients(): Promise<Record<NodeName, number>> {
    return { sluice1: await stage.clientsOf('sluice1'), sluice2: await stage.clientsOf('sluice2') };
  }

  async function stockClientAt(host: string, sql: string): Promise<string> {
    const [command = '', ...before] = stage.hostOf(host).runBy;
    const account = [`-u${APP_ACCOUNT.username}`, `-p${APP_ACCOUNT.password}`];
    const client = await findProgram(['mariadb', 'mysql']);
    const args = ['--no-defaults', ...account, `-h${entry.host}`, `-P${entry.port}`, '-BN', '-e', sql];
    return (await promisify(execFile)(command, [...before, client, ...args, APP_SCHEMA])).stdout;
  }

  /** What became of those who come, and of those who stay, when this happens to one of the Sluices. */
  async function underLoad(damage: () => Promise<void>): Promise<{ fresh: Verdict; long: Verdict }> {
    const fresh = new NewConnections(entry, EVERY_MS);
    const long = new LongLived(entry, LONG_LIVED);
    await Promise.all([fresh.waitFor(20), long.waitFor(20)]);
    const beganMs = performance.now();
    await damage();
    const done: Damage = { beganMs, doneMs: performance.now() };
    await Promise.all([fresh.waitFor(20), long.waitFor(20)]);
    await waitUntil('each has noticed', () => {
      const { caught, failedAfter } = judge(long.attempts, done);
      return caught.length + failedAfter.length >= LONG_LIVED;
    });
    return { fresh: judge(await fresh.stop(), done), long: judge(await long.stop(), done) };
  }
});

/** As drivers call a connection that ends without a word. */
function isLost(error: string): boolean {
  return error === 'PROTOCOL_CONNECTION_LOST' || error === 'ECONNRESET';
}
