/** Traces of statements on a real server, as a receiver of OTLP gets them. */

import type { Connection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';

const SECRET = 'hunter2';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SERVER_KIND = 2;
const ERROR_STATUS = 2;
const set = new ReplicationSet({ replicas: 1, sql: ['CREATE TABLE app.t (n INT, s VARCHAR(50))'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

interface Traced {
  readonly sluice: SluiceProcess;
  readonly receiver: OtlpReceiver;
  readonly connection: Connection;
}

async function start(t: Test, tracing: ConfigObject, env: NodeJS.ProcessEnv = {}): Promise<Traced> {
  const receiver = await OtlpReceiver.start();
  t.teardown(() => receiver.close());
  const sluice = await SluiceProcess.startFor(set, {
    env,
    config: { workers: 1, tracing: { enabled: true, endpoint: receiver.endpoint, ...tracing } },
  });
  t.teardown(() => sluice.dispose());
  const connection = await sluice.connect();
  return { sluice, receiver, connection };
}

function received(receiver: OtlpReceiver, statement: RegExp): Promise<ReceivedSpan> {
  return waitUntil(`a span of ${statement}`, () =>
    receiver.spans.find(({ attributes }) => statement.test(String(attributes['db.statement']))),
  );
}

t.test('a span has route, server and digest, and continues the trace of a comment', async (t) => {
  const { receiver, connection, sluice } = await start(
    t,
    { sampleEvery: 0, serviceName: 'shop-db' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=abc' },
  );
  await connection.query("INSERT INTO t VALUES (1, 'x')");
  await connection.query(
    `SELECT n FROM t /* sluice:primary */ WHERE s = '${SECRET}' /*controller='c',traceparent='00-${TRACE}-${SPAN}-01'*/`,
  );
  const beganAt = Date.now();
  const span = await received(receiver, /^SELECT n FROM t/);
  t.match(span, {
    traceId: TRACE,
    parentSpanId: SPAN,
    name: 'SELECT app',
    kind: SERVER_KIND,
    attributes: {
      'db.system': 'mariadb',
      'db.operation': 'SELECT',
      'db.name': 'app',
      'db.user': 'app',
      'db.query.text': /^SELECT n FROM t \/\* sluice:primary \*\/ WHERE s = \?$/,
      'server.address': '127.0.0.1',
      'server.port': set.primary.port,
      'sluice.route.reason': /./,
      'sluice.digest': /^0x[0-9A-F]{16}$/,
      'sluice.hostgroup': /./,
    },
    resource: { 'service.name': 'shop-db' },
  });
  t.not(span.spanId, SPAN);
  const durationMs = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
  t.ok(durationMs > 0 && durationMs < 30_000, `it took ${durationMs} ms`);
  t.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - beganAt) < 60_000);
  await connection
    .query(`SELECT wrong FROM t /*traceparent='00-${TRACE}-${SPAN}-01'*/`)
    .catch(() => undefined);
  t.match(await received(receiver, /wrong/), {
    status: { code: ERROR_STATUS },
    attributes: { 'db.response.status_code': '1054' },
  });
  await connection.query(`SELECT 'unsampled' /*traceparent='00-${TRACE}-${SPAN}-00'*/`);
  await connection.query("SELECT 'no parent'");
  await connection.query(`SELECT 3 /*traceparent='00-${TRACE}-${SPAN}-01'*/`);
  await waitUntil('the last one is there', () => receiver.spans.length >= 3);
  t.equal(receiver.spans.length, 3, 'nothing else is traced');
  t.notOk(JSON.stringify(receiver.spans).includes(SECRET), 'no literal');
  t.equal(receiver.headers[0]?.['x-key'], 'abc');
  t.strictSame([...new Set(receiver.paths)], ['/v1/traces']);
  await waitUntil('they are counted', async () => {
    return (await sluice.metric('sluice_spans_total', { outcome: 'sent' })) === 3;
  });
  t.equal(await sluice.metric('sluice_spans_total', { outcome: 'lost' }), 0);
  await connection.end();
  await sluice.stop();
});

t.test('sampling, prepared statements, what is waiting is sent at a stop, and switching off', async (t) => {
  const { receiver, connection, sluice } = await start(t, { sampleEvery: 3 });
  for (let count = 0; count < 9; count++) await connection.execute('SELECT n + ? FROM t', [count]);
  await connection.end();
  const statements = await sluice.metric('sluice_routed_total');
  await sluice.stop();
  t.equal(receiver.spans.length, Math.floor(statements / 3), 'one of three');
  t.ok(receiver.spans.every((span) => !span.parentSpanId));
  t.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, receiver.spans.length);
});

t.test('a receiver that refuses, then none: it is said, and statements go on', async (t) => {
  const { receiver, connection, sluice } = await start(t, { sampleEvery: 1, queueLength: 50 });
  receiver.status = 400;
  await connection.query("SELECT 'refused'");
  await sluice.waitForLog('spans are lost');
  t.ok((await sluice.metric('sluice_spans_total', { outcome: 'lost' })) >= 1, 'and counted');
  receiver.close();
  for (let count = 0; count < 200; count++) await connection.query("SELECT 'nobody listens'");
  sluice.writeConfig({
    workers: 1,
    servers: [set.primary.address],
    users: [APP_ACCOUNT],
    tracing: { enabled: false },
  });
  sluice.signal('SIGHUP');
  await sluice.waitForLog('configuration read again');
  t.match((await connection.query("SELECT 'still here' AS x"))[0], [{ x: 'still here' }]);
  await connection.end();
  await sluice.stop();
});
