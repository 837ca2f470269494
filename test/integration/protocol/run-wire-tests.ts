/** What every server, of either flavour, must understand of this library, and the library of it. */

import type { Test } from 'tap';
import {
  Capability,
  type ClientPassword,
  ColumnType,
  Command,
  challengeOf,
  collationOf,
  decodeAuthSwitchRequest,
  decodeBinaryRow,
  decodeErr,
  decodeOk,
  decodeSessionState,
  decodeTextRow,
  ERR_HEADER,
  encodeBareCommand,
  encodeComChangeUser,
  encodeComInitDb,
  encodeComQuery,
  encodeComStmtClose,
  encodeComStmtExecute,
  encodeComStmtSendLongData,
  encodeOk,
  hasCapability,
  hasStatus,
  nativeScramble,
  SessionTrackType,
  StatusFlag,
  sha1,
} from '../../../protocol/index.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { ORDINARY_CAPABILITIES, ordinaryWithout, WireClient } from './wire-client.ts';

const PASSWORD = 'pässwörd';
const USER = 'wire';
const plain: ClientPassword = { kind: 'plain', value: PASSWORD };

export async function prepareAccounts(server: DatabaseServer): Promise<void> {
  await server.query(
    `CREATE DATABASE wire; CREATE TABLE wire.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20));
     CREATE USER '${USER}'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO '${USER}'@'127.0.0.1';
     CREATE USER 'open'@'127.0.0.1'; GRANT ALL ON wire.* TO 'open'@'127.0.0.1'`,
  );
}

async function login(
  server: DatabaseServer,
  options: Partial<Parameters<typeof WireClient.login>[1]> = {},
): Promise<WireClient> {
  const result = await WireClient.login(server, { username: USER, password: plain, ...options });
  if (result instanceof WireClient) return result;
  throw new Error(`${result.errno} (${result.sqlState}): ${result.message}`);
}

const query = (client: WireClient, sql: string): Buffer =>
  encodeComQuery({ query: sql }, client.capabilities);

async function textRows(client: WireClient, sql: string): Promise<(string | null)[][]> {
  const { columns, rows } = await client.resultset(query(client, sql));
  return rows.map((row) => decodeTextRow(row, columns.length).map((value) => value?.toString() ?? null));
}

export async function runWireTests(t: Test, server: DatabaseServer): Promise<void> {
  await t.test('logging in', (t) => testLogin(t, server));
  await t.test('refused logins', (t) => testRefusals(t, server));
  await t.test('OK packets', (t) => testOk(t, server));
  await t.test('session state', (t) => testSessionState(t, server));
  await t.test('result sets', (t) => testResultsets(t, server));
  await t.test('prepared statements', (t) => testPrepared(t, server));
  await t.test('packets over 16 MiB', (t) => testLargePackets(t, server));
  await t.test('COM_CHANGE_USER', (t) => testChangeUser(t, server));
}

async function testLogin(t: Test, server: DatabaseServer): Promise<void> {
  const client = await login(server, { database: 'wire' });
  const { handshake } = client;
  t.equal(handshake.isMariadb, server.flavor === 'mariadb');
  t.ok(handshake.versionId > 50_700, `version id ${handshake.versionId}`);
  t.ok(handshake.serverVersion.includes(server.flavor === 'mariadb' ? 'MariaDB' : '5.7.29'));
  t.equal(collationOf(handshake.serverCollationId)?.charset, 'utf8mb4');
  t.ok(hasStatus(handshake.serverStatus, StatusFlag.SERVER_STATUS_AUTOCOMMIT));
  t.same(await textRows(client, 'SELECT CONNECTION_ID(), DATABASE(), @@character_set_client'), [
    [String(handshake.threadId), 'wire', 'utf8mb4'],
  ]);
  client.close();

  const bySha1 = await login(server, { password: { kind: 'nativeSha1', sha1Stage1: sha1(PASSWORD) } });
  t.same(await textRows(bySha1, 'SELECT DATABASE()'), [[null]], 'SHA1(password) opens the account');
  bySha1.close();

  const open = await login(server, { username: 'open', password: { kind: 'none' } });
  t.same(
    await textRows(open, 'SELECT CURRENT_USER()'),
    [['open@127.0.0.1']],
    'an account without a password',
  );
  open.close();

  for (const flag of [
    Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA,
    Capability.CLIENT_CONNECT_ATTRS,
    Capability.CLIENT_DEPRECATE_EOF,
    Capability.CLIENT_SESSION_TRACK,
  ]) {
    const without = await login(server, { capabilities: ordinaryWithout(flag), database: 'wire' });
    t.notOk(hasCapability(without.capabilities, flag));
    t.same(await textRows(without, 'SELECT 1'), [['1']], `without capability 0x${flag.toString(16)}`);
    without.close();
  }
}

async function testRefusals(t: Test, server: DatabaseServer): Promise<void> {
  const wrong = await WireClient.login(server, { username: USER, password: { kind: 'plain', value: 'x' } });
  t.match(wrong, {
    kind: 'failed',
    errno: 1045,
    sqlState: '28000',
    fromServer: true,
    message: `Access denied for user '${USER}'@'127.0.0.1' (using password: YES)`,
  });
  const none = await WireClient.login(server, { username: USER, password: { kind: 'none' } });
  t.match(none, { kind: 'failed', errno: 1045, message: /\(using password: NO\)$/ });
  const schema = await WireClient.login(server, { username: USER, password: plain, database: 'nowhere' });
  t.match(schema, { kind: 'failed', errno: 1049, sqlState: '42000', fromServer: true });
}

async function testOk(t: Test, server: DatabaseServer): Promise<void> {
  for (const capabilities of [ORDINARY_CAPABILITIES, ordinaryWithout(Capability.CLIENT_SESSION_TRACK)]) {
    const client = await login(server, { capabilities, database: 'wire' });
    const inserted = await client.ok(query(client, "INSERT INTO t (v) VALUES ('a'), ('b'), ('c')"));
    t.equal(inserted.affectedRows, 3);
    t.ok(inserted.lastInsertId > 0);
    t.equal(inserted.info.toString(), 'Records: 3  Duplicates: 0  Warnings: 0');
    client.send(query(client, "UPDATE t SET v = 'd'"));
    const packet = await client.packet();
    const again = encodeOk(decodeOk(packet, client.capabilities), client.capabilities);
    t.strictSame(again, packet, 'encoded anew, the same bytes as the server sent');
    const begun = await client.ok(query(client, 'BEGIN'));
    t.ok(hasStatus(begun.statusFlags, StatusFlag.SERVER_STATUS_IN_TRANS));
    t.equal(begun.info.length, 0);
    await client.ok(query(client, 'ROLLBACK'));
    await client.ok(query(client, 'ALTER TABLE t AUTO_INCREMENT = 4294967290'));
    t.equal((await client.ok(encodeBareCommand(Command.COM_PING))).affectedRows, 0);
    const wide = await client.ok(
      query(client, 'UPDATE t SET id = LAST_INSERT_ID(9007199254740993) WHERE id < 0'),
    );
    t.equal(wide.info.toString(), 'Rows matched: 0  Changed: 0  Warnings: 0');
    await client.ok(query(client, 'TRUNCATE t'));
    client.send(query(client, 'SELECT nothing FROM nowhere'));
    const err = await client.packet();
    t.equal(err[0], ERR_HEADER);
    t.match(decodeErr(err), { errno: 1146, sqlState: '42S02', message: /nowhere/ });
    client.close();
  }
}

async function testSessionState(t: Test, server: DatabaseServer): Promise<void> {
  const client = await login(server);
  await client.ok(
    query(
      client,
      "SET session_track_schema = ON, session_track_state_change = ON, session_track_system_variables = '*', " +
        "session_track_transaction_info = 'CHARACTERISTICS'",
    ),
  );
  const schema = await client.ok(encodeComInitDb({ schema: 'wire' }));
  t.ok(hasStatus(schema.statusFlags, StatusFlag.SERVER_SESSION_STATE_CHANGED));
  t.strictSame(
    decodeSessionState(schema.sessionState!).filter(({ type }) => type === SessionTrackType.SCHEMA),
    [{ type: SessionTrackType.SCHEMA, schema: 'wire' }],
  );
  const set = await client.ok(query(client, "SET lock_wait_timeout = 77, time_zone = '+03:00'"));
  const changes = decodeSessionState(set.sessionState!);
  const variables = changes.flatMap((change) =>
    change.type === SessionTrackType.SYSTEM_VARIABLES ? [[change.name, change.value]] : [],
  );
  t.strictSame(
    new Map(variables as [string, string][]),
    new Map([
      ['lock_wait_timeout', '77'],
      ['time_zone', '+03:00'],
    ]),
  );
  const begun = await client.ok(query(client, 'START TRANSACTION READ ONLY'));
  const transaction = decodeSessionState(begun.sessionState!);
  t.match(
    transaction.filter((change) => change.type === SessionTrackType.TRANSACTION_CHARACTERISTICS),
    [{ characteristics: 'START TRANSACTION READ ONLY;' }],
  );
  t.match(
    transaction.filter((change) => change.type === SessionTrackType.TRANSACTION_STATE),
    [{ state: 'T_______' }],
  );
  t.notOk(changes.concat(transaction).some(({ type }) => type === 'unknown'));
  client.close();
}

async function testResultsets(t: Test, server: DatabaseServer): Promise<void> {
  for (const capabilities of [ORDINARY_CAPABILITIES, ordinaryWithout(Capability.CLIENT_DEPRECATE_EOF)]) {
    const client = await login(server, { capabilities });
    const { columns, rows, end } = await client.resultset(
      query(client, "SELECT 1 AS one, NULL AS nothing, 'ü' AS text, REPEAT('x', 300) AS long_text"),
    );
    t.strictSame(
      columns.map(({ name }) => name),
      ['one', 'nothing', 'text', 'long_text'],
    );
    t.equal(columns[0]!.collationId, 63);
    t.equal(collationOf(columns[2]!.collationId)?.charset, 'utf8mb4');
    t.equal(end === null, capabilities !== ORDINARY_CAPABILITIES);
    const values = decodeTextRow(rows[0]!, 4);
    t.strictSame(
      values.map((value) => value?.toString() ?? null),
      ['1', null, 'ü', 'x'.repeat(300)],
    );
    client.close();
  }
}

async function testPrepared(t: Test, server: DatabaseServer): Promise<void> {
  const client = await login(server, { capabilities: ordinaryWithout(Capability.CLIENT_QUERY_ATTRIBUTES) });
  const sql =
    'SELECT ? AS big, ? AS text, ? AS nothing, ? AS moment, ? AS span, ? AS real_number, ? AS long_data';
  const { statementId, parameterCount, columnCount } = await client.prepare(sql);
  t.equal(parameterCount, 7);
  t.equal(columnCount, 7);
  client.send(encodeComStmtSendLongData({ statementId, parameterIndex: 6, data: Buffer.from('long ') }));
  client.send(encodeComStmtSendLongData({ statementId, parameterIndex: 6, data: Buffer.from('data') }));
  const moment = { year: 2026, month: 2, day: 28, hour: 23, minute: 59, second: 58, microsecond: 123_456 };
  const span = { negative: true, days: 2, hours: 3, minutes: 4, seconds: 5, microseconds: 600_000 };
  const type = (code: number, unsigned = false) => ({ type: code, unsigned, name: '' });
  const execute = encodeComStmtExecute(
    {
      statementId,
      flags: 0,
      iterationCount: 1,
      typesSent: true,
      types: [
        type(ColumnType.MYSQL_TYPE_LONGLONG, true),
        type(ColumnType.MYSQL_TYPE_VAR_STRING),
        type(ColumnType.MYSQL_TYPE_NULL),
        type(ColumnType.MYSQL_TYPE_DATETIME),
        type(ColumnType.MYSQL_TYPE_TIME),
        type(ColumnType.MYSQL_TYPE_DOUBLE),
        type(ColumnType.MYSQL_TYPE_VAR_STRING),
      ],
      values: [18_446_744_073_709_551_615n, Buffer.from('tèxt'), null, moment, span, 0.1, undefined],
    },
    client.capabilities,
  );
  const { columns, rows } = await client.resultset(execute);
  const types = columns.map((column) => ({ type: column.type, unsigned: (column.flags & 0x20) !== 0 }));
  const row = decodeBinaryRow(rows[0]!, types);
  t.equal(row[0], 18_446_744_073_709_551_615n);
  t.equal(String(row[1]), 'tèxt');
  t.equal(row[2], null);
  t.equal(row[5], 0.1);
  t.equal(String(row[6]), 'long data');
  // MySQL 5.7 gives temporal parameters back as text; the text tells that the bytes were understood.
  if (Buffer.isBuffer(row[3])) {
    t.equal(String(row[3]), '2026-02-28 23:59:58.123456');
    t.equal(String(row[4]), '-51:04:05.600000');
  } else {
    t.strictSame(row[3], moment);
    t.strictSame(row[4], span);
  }
  client.send(encodeComStmtClose({ statementId }));
  await testTimeParameter(t, client, server.flavor === 'mariadb');
  t.same(await textRows(client, 'SELECT 1'), [['1']], 'no answer comes to COM_STMT_CLOSE');
  client.close();
}

/** Beside a DATETIME it is one of the current day on MariaDB: such answers do not last, so that the cache keeps none. */
async function testTimeParameter(t: Test, client: WireClient, isOfToday: boolean): Promise<void> {
  const { statementId } = await client.prepare("SELECT CAST('2026-06-01 12:00:00' AS DATETIME) < ? AS later");
  const time = { negative: false, days: 0, hours: 10, minutes: 0, seconds: 0, microseconds: 0 };
  const types = [{ type: ColumnType.MYSQL_TYPE_TIME, unsigned: false, name: '' }];
  const execution = { statementId, flags: 0, iterationCount: 1, typesSent: true, types, values: [time] };
  for (const [day, later] of [
    ['2026-05-01', 0],
    ['2026-07-01', isOfToday ? 1 : 0],
  ] as const) {
    await client.ok(query(client, `SET timestamp = UNIX_TIMESTAMP('${day}')`));
    const { columns, rows } = await client.resultset(encodeComStmtExecute(execution, client.capabilities));
    const columnTypes = columns.map(({ type }) => ({ type, unsigned: false }));
    t.equal(Number(decodeBinaryRow(rows[0]!, columnTypes)[0]), later, `on ${day}`);
  }
  client.send(encodeComStmtClose({ statementId }));
}

async function testLargePackets(t: Test, server: DatabaseServer): Promise<void> {
  await server.query('SET GLOBAL max_allowed_packet = 67108864');
  const client = await login(server);
  const prefix = Buffer.from("SELECT LENGTH('");
  // The first payload fills one fragment exactly, so that an empty one follows.
  for (const bytes of [0xff_ffff - prefix.length - 3, 0xff_ffff, 2 * 0xff_ffff]) {
    const text = Buffer.concat([prefix, Buffer.alloc(bytes, 'x'), Buffer.from("')")]);
    const payload = encodeComQuery({ query: text }, client.capabilities);
    const { rows } = await client.resultset(payload);
    t.equal(
      decodeTextRow(rows[0]!, 1)[0]!.toString(),
      String(bytes),
      `${payload.length} bytes to the server`,
    );
  }
  const { rows } = await client.resultset(query(client, "SELECT REPEAT('y', 33554430)"));
  t.equal(
    decodeTextRow(rows[0]!, 1)[0]!.length,
    33_554_430,
    'a row of two fragments and more from the server',
  );
  client.close();
}

async function testChangeUser(t: Test, server: DatabaseServer): Promise<void> {
  const client = await login(server, { username: 'open', password: { kind: 'none' } });
  client.send(
    encodeComChangeUser(
      {
        username: USER,
        authResponse: nativeScramble(PASSWORD, client.handshake.nonce),
        database: 'wire',
        collationId: 45,
        authPluginName: 'mysql_native_password',
        connectAttributes: { _client_name: 'wire-client' },
      },
      client.capabilities,
    ),
  );
  const request = await client.packet();
  const { pluginName, pluginData } = decodeAuthSwitchRequest(request);
  t.equal(pluginName, 'mysql_native_password', 'another proof is asked for, however right the first one is');
  const nonce = challengeOf(pluginData);
  t.equal(nonce.toString(), client.handshake.nonce.toString(), 'the challenge is the same');
  client.send(nativeScramble(PASSWORD, nonce), 2);
  const packet = await client.packet();
  t.equal(packet[0], 0x00);
  decodeOk(packet, client.capabilities);
  t.same(await textRows(client, 'SELECT CURRENT_USER(), DATABASE()'), [[`${USER}@127.0.0.1`, 'wire']]);
  client.close();
}
