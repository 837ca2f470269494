/** The tables against facts that are known from elsewhere. */

import t from 'tap';
import {
  Capability,
  Command,
  CommandName,
  capabilityNames,
  charsetNames,
  collationNamed,
  collationOf,
  defaultCollationIdOf,
  errorNameOf,
  handshakeCollationId,
  hasCapability,
  intersectCapabilities,
  sqlStateOf,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../../protocol/index.ts';

t.test('commands', async (t) => {
  t.equal(CommandName.get(0x03), 'COM_QUERY');
  t.equal(CommandName.get(0xfa), 'COM_STMT_BULK_EXECUTE');
  t.equal(CommandName.get(0x99), undefined);
  t.equal(CommandName.size, Object.keys(Command).length, 'no byte twice');
});

t.test('capabilities are unsigned, and each has a bit of its own', async (t) => {
  const all = Object.values(Capability);
  t.strictSame(
    all,
    Array.from({ length: 32 }, (_, bit) => 2 ** bit),
  );
  t.equal(uniteCapabilities(...all), 2 ** 32 - 1);
  t.equal(intersectCapabilities(2 ** 32 - 1, 2 ** 31), 2 ** 31);
  t.equal(withoutCapabilities(2 ** 32 - 1, 1), 2 ** 32 - 2);
  t.ok(hasCapability(2 ** 31, Capability.CLIENT_REMEMBER_OPTIONS));
  t.strictSame(capabilityNames(2 ** 31 + 0x200), ['CLIENT_PROTOCOL_41', 'CLIENT_REMEMBER_OPTIONS']);
});

t.test('collations', async (t) => {
  for (const [id, collation, charset, maxBytesPerCharacter] of [
    [8, 'latin1_swedish_ci', 'latin1', 1],
    [28, 'gbk_chinese_ci', 'gbk', 2],
    [33, 'utf8mb3_general_ci', 'utf8mb3', 3],
    [45, 'utf8mb4_general_ci', 'utf8mb4', 4],
    [63, 'binary', 'binary', 1],
    [76, 'utf8mb3_tolower_ci', 'utf8mb3', 3],
    [248, 'gb18030_chinese_ci', 'gb18030', 4],
    [255, 'utf8mb4_0900_ai_ci', 'utf8mb4', 4],
    [271, 'utf8mb4_la_0900_ai_ci', 'utf8mb4', 4],
    [277, 'utf8mb4_vi_0900_ai_ci', 'utf8mb4', 4],
    [278, 'utf8mb4_0900_as_cs', 'utf8mb4', 4],
    [300, 'utf8mb4_vi_0900_as_cs', 'utf8mb4', 4],
    [304, 'utf8mb4_ja_0900_as_cs_ks', 'utf8mb4', 4],
    [305, 'utf8mb4_0900_as_ci', 'utf8mb4', 4],
    [308, 'utf8mb4_zh_0900_as_cs', 'utf8mb4', 4],
    [309, 'utf8mb4_0900_bin', 'utf8mb4', 4],
    [1069, 'utf8mb4_general_nopad_ci', 'utf8mb4', 4],
    [2304, 'utf8mb4_uca1400_ai_ci', 'utf8mb4', 4],
  ] as const) {
    t.strictSame({ ...collationOf(id) }, { id, collation, charset, maxBytesPerCharacter });
  }
  t.equal(collationOf(0), null);
  t.equal(collationOf(272), null);
  t.equal(collationNamed('UTF8_BIN')?.id, 83);
  t.equal(
    collationNamed('utf8mb4_croatian_mysql561_ci')?.id,
    245,
    "MariaDB's name for MySQL's utf8mb4_croatian_ci",
  );
  t.equal(collationOf(245)?.collation, 'utf8mb4_croatian_ci');
  for (const name of [
    'utf8mb5_bin',
    '',
    'bin',
    'utf8mb4',
    '33 utf8mb3_general_ci',
    'utf8mb3_bin\n84 big5_bin',
  ])
    t.equal(collationNamed(name), null, JSON.stringify(name));
  t.equal(collationOf(4.5), null);
});

t.test('default collations', async (t) => {
  for (const charset of charsetNames()) {
    const id = defaultCollationIdOf(charset);
    t.equal(collationOf(id!)?.charset, charset);
    t.ok(id! <= 255, `${charset} fits a handshake`);
  }
  t.equal(defaultCollationIdOf('UTF8'), 33);
  t.equal(defaultCollationIdOf('utf8mb4'), 45);
  t.equal(defaultCollationIdOf('utf8mb4', { isMariadb: false, versionId: 80_040 }), 255);
  t.equal(defaultCollationIdOf('utf8mb4', { isMariadb: false, versionId: 50_729 }), 45);
  t.equal(defaultCollationIdOf('utf8mb4', { isMariadb: true, versionId: 101_119 }), 45);
  t.equal(defaultCollationIdOf('utf9'), null);
  t.equal(handshakeCollationId(255), 255);
  t.equal(handshakeCollationId(2304), 45);
  t.equal(handshakeCollationId(9999), null);
});

t.test('errors', async (t) => {
  for (const [name, errno, sqlState] of [
    ['ER_HASHCHK', 1000, 'HY000'],
    ['ER_CON_COUNT_ERROR', 1040, '08004'],
    ['ER_HANDSHAKE_ERROR', 1043, '08S01'],
    ['ER_ACCESS_DENIED_ERROR', 1045, '28000'],
    ['ER_BAD_DB_ERROR', 1049, '42000'],
    ['ER_SERVER_SHUTDOWN', 1053, '08S01'],
    ['ER_PARSE_ERROR', 1064, '42000'],
    ['ER_NO_SUCH_THREAD', 1094, 'HY000'],
    ['ER_NET_PACKET_TOO_LARGE', 1153, '08S01'],
    ['ER_NET_PACKETS_OUT_OF_ORDER', 1156, '08S01'],
    ['ER_LOCK_DEADLOCK', 1213, '40001'],
    ['ER_QUERY_INTERRUPTED', 1317, '70100'],
    ['ER_CONNECTION_KILLED', 1927, '70100'],
  ] as const) {
    t.equal(errorNameOf(errno), name);
    t.equal(sqlStateOf(errno), sqlState);
  }
  t.equal(sqlStateOf(9001), 'HY000');
  t.equal(errorNameOf(9001), null);
  t.equal(sqlStateOf(1366), 'HY000');
  t.equal(sqlStateOf(1366, true), '22007', 'MariaDB differs');
});
