/** A server that answers nonsense: an error to the client that asked, the connection closed, nobody else affected. */

import t from 'tap';
import { readAnswer } from '../integration/differential/wire-answer.ts';
import type { WireClient } from '../integration/differential/wire-client.ts';
import { Capability, Command } from '../integration/differential/wire-constants.ts';
import { WireClosedError } from '../integration/differential/wire-socket.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Bystander } from './bystander.ts';
import { MarkedFaultProxy } from './marked-fault-proxy.ts';
import { frame, rawLogin } from './raw-login.ts';

const set = new ReplicationSet({ replicas: 0, sql: ['CREATE TABLE app.t (id INT)'] });
let proxy: MarkedFaultProxy;
let sluice: SluiceProcess;
let bystander: Bystander;

t.before(async () => {
  await set.start();
  proxy = await MarkedFaultProxy.start(set.primary);
  sluice = await SluiceProcess.startFor(set, {
    config: { servers: [proxy.address], monitor: { discovery: false } },
  });
  bystander = await Bystander.start(sluice);
});
t.teardown(async () => {
  await bystander?.stop();
  await sluice?.dispose();
  await proxy?.close();
  await set.dispose();
});

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const COLUMN = Buffer.from('03646566000000013100 0c3f000100000008810000 0000'.replaceAll(' ', ''), 'hex');
const ROW = Buffer.from([1, 0x31]);

const NONSENSE: Readonly<Record<string, Buffer>> = {
  'a packet of nothing': frame(1, Buffer.alloc(0)),
  'a wrong sequence id': frame(9, OK),
  'a column count over 65535': frame(1, Buffer.from([0xfd, 0xff, 0xff, 0xff])),
  'a NULL as column count': frame(1, Buffer.from([0xff])),
  'a column count that ends too early': frame(1, Buffer.from([0xfc, 1])),
  'an OK that ends too early': frame(1, Buffer.from([0, 0xfc])),
  'an ERR of one byte': frame(1, Buffer.from([0xff])),
  'a column definition that is an OK': Buffer.concat([frame(1, Buffer.from([1])), frame(2, OK)]),
  'a result without an end, then silence': Buffer.concat([
    frame(1, Buffer.from([1])),
    frame(2, COLUMN),
    frame(3, ROW),
  ]),
  'a sequence that jumps among the rows': Buffer.concat([
    frame(1, Buffer.from([1])),
    frame(2, COLUMN),
    frame(3, ROW),
    frame(77, ROW),
  ]),
  'a LOCAL request that nobody asked for': frame(1, Buffer.from('\xfb/etc/passwd', 'latin1')),
  'an AuthSwitch in place of an answer': frame(1, Buffer.from('\xfemysql_clear_password\0', 'latin1')),
  'random bytes': Buffer.from('f00dfacedeadbeef00112233445566778899aabbccddeeff', 'hex'),
};

/** Rows and definitions pass as they are, so that the client may be the first not to understand them. */
async function endOfAnswer(client: WireClient): Promise<string> {
  try {
    return (await readAnswer(client)).at(-1)?.kind ?? 'nothing';
  } catch (error) {
    if (error instanceof WireClosedError) return client.socket.closed ? 'closed' : error.message;
  }
  try {
    for (;;) if ((await client.socket.receive()).payload[0] === 0xff) return 'err';
  } catch (error) {
    return client.socket.closed ? 'closed' : String(error);
  }
}

for (const [what, bytes] of Object.entries(NONSENSE)) {
  t.test(what, async (t) => {
    proxy.faults.set('nonsense', { replaceWith: bytes, closeAfterMs: 300 });
    const client = await rawLogin(sluice, { capabilities: Capability.deprecateEof });
    client.command(Command.query, Buffer.from(`SELECT id FROM t ${MarkedFaultProxy.mark('nonsense')}`));
    t.match(
      await endOfAnswer(client),
      /^(err|closed)$/,
      'an error or a lost connection, and no waiting for ever',
    );
    t.same(client.socket.sequenceErrors, [], 'in packets of the right order');
    client.close();
    t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
    t.equal(sluice.exit, null, 'Sluice still runs');
  });
}

t.test('two answers to one statement', async (t) => {
  // The second one must not become the answer to the next client's statement.
  proxy.faults.set('twice', { mutate: (chunk) => Buffer.concat([chunk, frame(1, OK)]) });
  const client = await rawLogin(sluice);
  client.command(Command.query, Buffer.from(`DO 1 ${MarkedFaultProxy.mark('twice')}`));
  await readAnswer(client).catch(() => undefined);
  client.close();
  for (let round = 0; round < 20; round++) {
    const next = await rawLogin(sluice);
    next.command(Command.query, Buffer.from(`SELECT ${round}`));
    const records = await readAnswer(next);
    t.equal(
      records.find(({ kind }) => kind === 'row')?.fields.bytes,
      `${String.fromCharCode(String(round).length)}${round}`,
    );
    next.close();
  }
  t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
});

t.test('half an answer behind the answer', async (t) => {
  // Whoever waits for the connection must not take what is left for the beginning of his.
  const narrow = await SluiceProcess.startFor(set, {
    config: {
      servers: [proxy.address],
      monitor: { discovery: false },
      workers: 1,
      pool: { maxConnections: 1 },
    },
  });
  t.teardown(() => narrow.dispose());
  const HALF = Buffer.from([0xff, 0xff, 0, 1, 0]);
  proxy.faults.set('half', { mutate: (chunk) => Buffer.concat([chunk, HALF]) });
  const first = await rawLogin(narrow);
  const second = await rawLogin(narrow);
  second.command(Command.query, Buffer.from("SET time_zone = '+02:00'"));
  await readAnswer(second);
  const waits = await narrow.metric('sluice_pool_waits_total');
  const locking = await set.primary.rootConnection();
  await locking.query('LOCK TABLES app.t WRITE');
  first.command(Command.query, Buffer.from(`INSERT INTO t VALUES (1) ${MarkedFaultProxy.mark('half')}`));
  await waitUntil('the first one has the connection', async () => {
    const rows = await set.primary.query(
      "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO t%'",
    );
    return rows.length === 1;
  });
  second.command(Command.query, Buffer.from('DO 2'));
  await waitUntil(
    'the second one waits for it',
    async () => (await narrow.metric('sluice_pool_waits_total')) > waits,
  );
  await locking.query('UNLOCK TABLES');
  await locking.end();
  t.equal((await readAnswer(first)).at(-1)?.kind, 'ok');
  t.equal((await readAnswer(second)).at(-1)?.kind, 'ok');
  t.ok(await narrow.waitForLog('sent bytes that nobody expects'));
  t.notOk(
    narrow.logContains('no answer to a statement'),
    'nothing was asked for on that connection any more',
  );
  first.close();
  second.close();
});

t.test('the log says why', async (t) => {
  t.ok(await sluice.waitForLog('broke the protocol'));
});
