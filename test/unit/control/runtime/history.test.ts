/** Which version is gone back to, and what is shown of two layers. */
import t from 'tap';
import { loadConfig } from '../../../../config/load.ts';
import { configTableNamed } from '../../../../src/common/admin-tables/all-tables.ts';
import { readCredentials, writeCredentials } from '../../../../src/control/runtime/admin-credentials.ts';
import { effectWarnings } from '../../../../src/control/runtime/effect-warnings.ts';
import { differencesOf } from '../../../../src/control/runtime/runtime-difference.ts';
import { checksumOf } from '../../../../src/control/runtime/table-checksum.ts';
import { VersionHistory } from '../../../../src/control/runtime/version-history.ts';

function load(text = ''): ReturnType<typeof loadConfig> {
  return loadConfig({ text: `servers: [a]\nmonitor: { username: m }\n${text}`, env: {}, flags: {} });
}

t.test('going back again and again goes further back', async (t) => {
  const history = new VersionHistory();
  const add = (snapshotVersion: number, source?: number) =>
    history.add({ atMs: 0, by: 'x', what: '', snapshotVersion, config: load() }, source).number;
  for (const version of [1, 2, 3, 4]) t.equal(add(version * 10), version);
  t.equal(history.previous?.number, 3);
  add(50, 3);
  t.equal(history.previous?.number, 2, 'version 5 is what 3 was');
  add(60, 2);
  t.equal(history.previous?.number, 1);
  add(70, 1);
  t.equal(history.previous, null);
  t.equal(history.ofSnapshot(9), null);
  t.equal(history.ofSnapshot(25)?.number, 2);
  t.equal(history.ofSnapshot(1000)?.number, 7);
  for (let count = 0; count < 30; count++) add(100 + count);
  t.equal(history.all.length, 20);
  t.equal(history.find(7), null, 'forgotten');
  t.equal(history.find(37), history.current);
});

t.test('differences by row and column, without secrets', async (t) => {
  const { columns } = configTableNamed('mysql_users');
  const user = (values: Readonly<Record<string, string | number | null>>) =>
    columns.map((name) => values[name] ?? null);
  const table = 'mysql_users';
  const same = user({ username: 'same', active: 1 });
  const found = differencesOf(
    [
      {
        table,
        rows: [same, user({ username: 'b', password: 'old', active: 1 }), user({ username: 'gone' })],
      },
    ],
    [
      {
        table,
        rows: [user({ username: 'new' }), user({ username: 'b', password: 'new', active: '0' }), same],
      },
    ],
  );
  t.strictSame(found, [
    { table, key: 'username b', column: 'password', runtime: '***', memory: '***' },
    { table, key: 'username b', column: 'active', runtime: '1', memory: '0' },
    { table, key: 'username gone', column: '', runtime: 'the row is here', memory: null },
    { table, key: 'username new', column: '', runtime: null, memory: 'the row is here' },
  ]);
  const variables = (value: string) => [
    {
      table: 'global_variables',
      rows: [
        ['mysql-monitor_password', value],
        ['mysql-threads', '1'],
      ],
    },
  ];
  t.match(differencesOf(variables('a'), variables('b')), [{ runtime: '***', memory: '***' }]);
  t.strictSame(differencesOf(variables('a'), variables('a')), []);
});

t.test('a checksum is that of the rows, in any order and type', async (t) => {
  const table = 'mysql_servers';
  t.equal(checksumOf([{ table, rows: [] }]), '0x0000000000000000');
  const sum = checksumOf([
    {
      table,
      rows: [
        [1, 'a', null],
        [2, 'b', null],
      ],
    },
  ]);
  t.equal(
    checksumOf([
      {
        table,
        rows: [
          ['2', 'b', null],
          [1n, 'a', null],
        ],
      },
    ]),
    sum,
  );
  t.not(
    checksumOf([
      {
        table,
        rows: [
          [1, 'a', ''],
          [2, 'b', null],
        ],
      },
    ]),
    sum,
  );
  t.not(
    checksumOf([
      {
        table: 'other',
        rows: [
          [1, 'a', null],
          [2, 'b', null],
        ],
      },
    ]),
    sum,
  );
});

t.test('operators in the words of ProxySQL', async (t) => {
  const { users } = load().admin;
  t.equal(writeCredentials(users, 'admin'), 'admin:admin');
  t.equal(readCredentials(users, 'admin', 'admin:admin'), users, 'the same');
  t.strictSame(
    readCredentials(users, 'stats', 'a:b:c;d:').map(({ username, password, role }) => [
      username,
      password,
      role,
    ]),
    [
      ['admin', 'admin', 'admin'],
      ['a', 'b:c', 'stats'],
      ['d', '', 'stats'],
    ],
  );
  t.strictSame(readCredentials(users, 'stats', '').length, 1);
  t.throws(() => readCredentials(users, 'admin', 'hunter2'), { message: /^expected name:password/ });
});

t.test('what has no effect is told, once for a column', async (t) => {
  const config = load(
    [
      'users: [{ username: a, schemaLocked: true }, { username: b, transactionPersistent: false }, { username: c, schemaLocked: true }]',
      'queryRules: [{ ruleId: 1 }, { ruleId: 2, reconnect: true, active: false }]',
      'hostgroupAttributes: [{ hostgroup: 0, multiplex: false }, { hostgroup: 1, initConnect: "SELECT 1" }]',
    ].join('\n'),
  );
  t.strictSame(effectWarnings(null, load()), []);
  t.strictSame(effectWarnings(null, config), [
    'mysql_users.transaction_persistent 0 has no effect in Sluice (b)',
    'mysql_users.schema_locked 1 has no effect in Sluice (a, c)',
    'what mysql_hostgroup_attributes has beside multiplex has no effect in Sluice (1)',
  ]);
  t.strictSame(effectWarnings(config, config), [], 'nothing that is there already');
});
