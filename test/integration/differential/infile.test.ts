/** LOAD DATA LOCAL: the file comes from the client, in whatever packets, and what goes wrong goes wrong as at a server. */

import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { readAnswer } from './wire-answer.ts';
import { BASE_CAPABILITIES, WireClient } from './wire-client.ts';
import { Capability, Command } from './wire-constants.ts';
import { decodeErr, decodeOk } from './wire-record.ts';
import { WireClosedError } from './wire-socket.ts';

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface Scenario {
  readonly name: string;
  /** @returns what the client saw. */
  run(client: WireClient): Promise<unknown>;
  /** One kind of server is enough. */
  readonly isCostly?: boolean;
  /** Without CLIENT_LOCAL_FILES. */
  readonly withoutLocalFiles?: boolean;
}

const LOAD = "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE loaded FIELDS TERMINATED BY ','";
const TOTAL = 'SELECT COUNT(*), SUM(id), SUM(LENGTH(v)), MD5(GROUP_CONCAT(MD5(v))) FROM loaded';

function connect({ host, port }: Endpoint, capabilities: number): Promise<WireClient> {
  const { username: user, password } = APP_ACCOUNT;
  return WireClient.connect({
    host,
    port,
    user,
    password,
    schema: APP_SCHEMA,
    capabilities,
    collationId: 45,
  });
}

function query(client: WireClient, sql: string): void {
  client.command(Command.query, Buffer.from(sql));
}

async function ask(client: WireClient, sql: string): Promise<unknown> {
  query(client, sql);
  return readAnswer(client, { timeoutMs: 60_000 });
}

/** Sends the statement, and waits until the file is asked for; null if it is not. */
async function wantsFile(client: WireClient, sql = LOAD): Promise<string | null> {
  query(client, sql);
  const { payload } = await client.socket.receive(60_000);
  return payload[0] === 0xfb ? payload.toString('latin1', 1) : null;
}

async function verdict(client: WireClient): Promise<unknown> {
  const { payload } = await client.socket.receive(60_000);
  return payload[0] === 0xff ? decodeErr(payload) : decodeOk(payload, client.sessionTrack);
}

async function load(client: WireClient, packets: readonly Buffer[], sql = LOAD): Promise<unknown[]> {
  const file = await wantsFile(client, sql);
  for (const packet of packets) client.socket.send(packet);
  client.socket.send(Buffer.alloc(0));
  return [file, await verdict(client), await ask(client, TOTAL)];
}

function rows(count: number, from = 1): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, row) => `${row + from},value ${row}\n`).join(''));
}

function cut(data: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(data.length / bytes);
  return Array.from({ length: count }, (_, at) => data.subarray(at * bytes, (at + 1) * bytes));
}

const LONG = Buffer.from(`1,${createHash('sha1').update('x').digest('hex').repeat(420_000)}\n2,short\n`);

const SCENARIOS: readonly Scenario[] = [
  { name: 'one byte a packet', run: (client) => load(client, cut(rows(60), 1)) },
  { name: 'more packets than sequence ids', run: (client) => load(client, cut(rows(20_000), 1000)) },
  { name: 'a packet of more than one frame', isCostly: true, run: (client) => load(client, [LONG]) },
  { name: 'an empty file', run: (client) => load(client, []) },
  { name: 'garbage', run: (client) => load(client, [Buffer.from('\xff\x00\xfe,,,\n\0\0garbage', 'latin1')]) },
  {
    name: 'an ERR instead of a file',
    run: (client) => load(client, [Buffer.from('ff1504233238303030no', 'latin1')]),
  },
  {
    name: 'a duplicate in the middle',
    run: async (client) => [
      await load(
        client,
        cut(Buffer.concat([rows(3000), rows(1), rows(3000, 5000)]), 4096),
        LOAD.replace(' INTO', ' REPLACE INTO'),
      ),
      await load(client, cut(Buffer.concat([rows(10), rows(1)]), 16)),
      await ask(client, 'SHOW WARNINGS LIMIT 3'),
    ],
  },
  {
    name: 'an error in the middle',
    run: (client) => load(client, cut(rows(5000), 999), `${LOAD} (id, v) SET v = (SELECT 1 UNION SELECT 2)`),
  },
  {
    name: 'a table that is not there',
    run: async (client) => [
      await wantsFile(client, LOAD.replace('loaded', 'nosuch')).catch(String),
      client.socket.closed,
    ],
  },
  {
    name: 'in a transaction that is rolled back',
    run: async (client) => [
      await ask(client, 'BEGIN'),
      await load(client, [rows(100)]),
      await ask(client, 'ROLLBACK'),
      await ask(client, TOTAL),
    ],
  },
  {
    name: 'twice in one packet',
    run: async (client) => {
      const seen = [await wantsFile(client, `${LOAD}; SELECT 1; ${LOAD}`)];
      client.socket.send(rows(10));
      client.socket.send(Buffer.alloc(0));
      const records: unknown[] = [await verdict(client)];
      // SELECT 1: count, definition, row, OK.
      for (let packet = 0; packet < 4; packet++) records.push((await client.socket.receive()).payload.length);
      const { payload } = await client.socket.receive();
      seen.push(payload.toString('latin1', 1));
      client.socket.send(rows(10, 11));
      client.socket.send(Buffer.alloc(0));
      return [seen, records, await verdict(client), await ask(client, TOTAL)];
    },
  },
  {
    name: 'a client that did not say that it has files',
    withoutLocalFiles: true,
    run: async (client) => [await ask(client, LOAD), await ask(client, TOTAL)],
  },
];

async function play(scenario: Scenario, endpoint: Endpoint, set: ReplicationSet): Promise<unknown> {
  await set.primary.query(`TRUNCATE ${APP_SCHEMA}.loaded`);
  const flags = scenario.withoutLocalFiles === true ? 0 : Capability.localFiles;
  const client = await connect(
    endpoint,
    BASE_CAPABILITIES | Capability.multiStatements | Capability.deprecateEof | flags,
  );
  try {
    const seen = await scenario.run(client);
    return { seen, sequence: client.socket.sequenceErrors };
  } catch (error) {
    if (error instanceof WireClosedError) return { closed: error.message };
    throw error;
  } finally {
    client.close();
  }
}

async function diesInTheMiddle(set: ReplicationSet, sluice: SluiceProcess, t: Test): Promise<void> {
  for (const sent of [[], [rows(2000)], cut(rows(20_000), 10_000)]) {
    await set.primary.query(`TRUNCATE ${APP_SCHEMA}.loaded`);
    const client = await connect(sluice, BASE_CAPABILITIES | Capability.localFiles);
    t.equal(await wantsFile(client), '/etc/passwd', 'the name is the client’s to look at');
    for (const packet of sent) client.socket.send(packet);
    client.socket.destroy();
    await waitUntil(
      'the statement is over',
      async () => {
        const sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'";
        return (await set.primary.queryValue(sql)) === '0';
      },
      { timeoutMs: 30_000 },
    );
    const other = await sluice.connect();
    t.ok(await other.query('SELECT COUNT(*) FROM loaded'), 'others go on');
    await other.end();
  }
}

async function isKilledInTheMiddle(set: ReplicationSet, sluice: SluiceProcess, t: Test): Promise<void> {
  const client = await connect(sluice, BASE_CAPABILITIES | Capability.localFiles);
  await wantsFile(client);
  client.socket.send(rows(100));
  const killer = await sluice.connect();
  await killer.query(`KILL ${client.handshake.connectionId}`);
  await client.socket.waitForClose();
  t.ok(client.socket.closed, 'the connection ends');
  await waitUntil('the statement is over', async () => {
    const sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'";
    return (await set.primary.queryValue(sql)) === '0';
  });
  await killer.end();
}

async function runInfile(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    args: ['--max-allowed-packet=64M', '--innodb-log-file-size=192M', '--local-infile=1'],
    sql: [`CREATE TABLE ${APP_SCHEMA}.loaded (id INT PRIMARY KEY, v LONGTEXT) CHARSET latin1`],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  for (const scenario of SCENARIOS) {
    if (scenario.isCostly === true && flavor === ServerFlavor.mysql) continue;
    const straight = await play(scenario, set.primary, set);
    t.same(await play(scenario, sluice, set), straight, scenario.name);
  }
  await t.test('a client that dies', (t) => diesInTheMiddle(set, sluice, t));
  await t.test('a client that is killed', (t) => isKilledInTheMiddle(set, sluice, t));
  await set.primary.query('SET GLOBAL local_infile = 0');
  const refused: Scenario = { name: 'local_infile=OFF', run: (client) => ask(client, LOAD) };
  t.same(await play(refused, sluice, set), await play(refused, set.primary, set), refused.name);
  t.equal(sluice.exit, null, 'Sluice still runs');
}

t.test('MariaDB', (t) => runInfile(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runInfile(t, ServerFlavor.mysql));
