/** LOAD, SAVE and what else goes between the layers: every spelling, and what is said when it cannot be done. */

import t from 'tap';
import { createWorkerLogger } from '../../../../src/common/logger.ts';
import { runAdminStatement } from '../../../../src/control/admin/admin-command.ts';
import { AdminError } from '../../../../src/control/admin/admin-error.ts';
import type { CommandAnswer } from '../../../../src/control/admin/commands/command.ts';
import { RowError } from '../../../../src/control/runtime/row-error.ts';
import { StoreError } from '../../../../src/control/store/store-error.ts';
import { FakeAdminState } from './fake-admin-state.ts';
import { RecordedAudit } from './recorded-audit.ts';

async function run(
  state: FakeAdminState,
  text: string,
  role: 'admin' | 'stats' = 'admin',
): Promise<CommandAnswer | string> {
  const session = {
    connectionId: 5,
    username: 'boss',
    role,
    host: '10.0.0.9',
    schema: null,
    conditions: [],
  } as const;
  try {
    const answer = await runAdminStatement(Buffer.from(text), session, {
      state,
      logger: createWorkerLogger('info', () => undefined),
      audit: new RecordedAudit(),
      port: 'admin',
      version: '0.1.0',
      commandTimeoutMs: 1000,
    });
    return answer ?? 'nothing';
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const { errno, message } = error.toClientError();
    return `${errno} ${message}`;
  }
}

async function callsOf(text: string): Promise<readonly string[]> {
  const state = new FakeAdminState();
  const answer = await run(state, text);
  return typeof answer === 'string' ? [answer] : state.runtime.calls;
}

const MODULES = [
  'MYSQL USERS',
  'MYSQL SERVERS',
  'MYSQL QUERY RULES',
  'MYSQL VARIABLES',
  'ADMIN VARIABLES',
  'SLUICE VARIABLES',
  'MYSQL FIREWALL',
  'SCHEDULER',
  'RESTAPI',
  'PROXYSQL SERVERS',
];

for (const module of MODULES)
  t.test(module, async (t) => {
    const ways: readonly (readonly [string, string])[] = [
      [`LOAD ${module} TO RUNTIME`, 'to runtime'],
      [`LOAD ${module} TO RUN`, 'to runtime'],
      [`LOAD ${module} FROM MEMORY`, 'to runtime'],
      [`load ${module.toLowerCase()} from mem;`, 'to runtime'],
      [`SAVE ${module} TO MEMORY`, 'to memory'],
      [`SAVE  ${module}  TO  MEM`, 'to memory'],
      [`SAVE ${module} FROM RUNTIME`, 'to memory'],
      [`SAVE ${module} FROM RUN`, 'to memory'],
      [`LOAD ${module} TO MEMORY`, 'from disk'],
      [`LOAD ${module} TO MEM`, 'from disk'],
      [`LOAD ${module} FROM DISK`, 'from disk'],
      [`SAVE ${module} TO DISK`, 'to disk'],
      [`SAVE  ${module} TO DISK`, 'to disk'],
      [`SAVE ${module} FROM MEMORY`, 'to disk'],
      [`SAVE /* a comment */ ${module} FROM MEM`, 'to disk'],
      [`LOAD ${module} FROM CONFIG`, 'from the file'],
    ];
    for (const [text, expected] of ways) t.strictSame(await callsOf(text), [`${module} ${expected}`], text);
  });

t.test('the others', async (t) => {
  t.strictSame(await callsOf('LOAD MYSQL USER app TO RUNTIME'), ['user app to runtime']);
  t.strictSame(await callsOf("LOAD MYSQL USER 'a b''c' TO RUN"), ["user a b'c to runtime"]);
  t.strictSame(await callsOf('ROLLBACK RUNTIME'), ['back to null']);
  t.strictSame(await callsOf('ROLLBACK RUNTIME TO 17'), ['back to 17']);
  t.strictSame(await callsOf('DIFF RUNTIME MEMORY'), ['differences']);
  t.strictSame(await callsOf('LOAD MYSQL QUERY RULES TO SHADOW'), ['rules to shadow']);
  t.strictSame(await callsOf('PROMOTE SHADOW'), ['shadow to runtime']);
  t.strictSame(await callsOf('DROP SHADOW'), ['no shadow']);
  t.strictSame(await callsOf('CHECKSUM MYSQL USERS'), ['checksum of mysql_users in memory']);
  t.strictSame(await callsOf('CHECKSUM DISK MYSQL QUERY RULES'), ['checksum of mysql_query_rules in disk']);
  t.strictSame(await callsOf('CHECKSUM MEM MYSQL VARIABLES'), ['checksum of mysql- in memory']);
  const state = new FakeAdminState();
  t.match(await run(state, 'SELECT GLOBAL_CHECKSUM()'), {
    columns: [{ name: 'CHECKSUM' }],
    rows: [['0x00000000000000AB']],
  });
  t.match(await run(state, 'CHECKSUM MEMORY MYSQL SERVERS'), {
    columns: [{ name: 'table' }, { name: 'checksum' }],
    rows: [['mysql_servers', '0x00000000000000AB']],
  });
  t.match(await run(state, 'DIFF RUNTIME MEMORY'), {
    rows: [['mysql_users', 'username app', 'active', '1', '0']],
  });
});

t.test('what ProxySQL has and Sluice has not is accepted, and said', async (t) => {
  for (const module of ['LDAP VARIABLES', 'CLICKHOUSE USERS', 'PGSQL SERVERS', 'DEBUG'])
    t.match(await run(new FakeAdminState(), `LOAD ${module} TO RUNTIME`), {
      kind: 'ok',
      warnings: [`${module} has no effect: Sluice has nothing like it`],
    });
});

t.test('what is wrong, with the nearest name', async (t) => {
  const errors: readonly (readonly [string, string])[] = [
    [
      'LOAD MYSQL SERVRES TO RUNTIME',
      "1064 'MYSQL SERVRES' is nothing that can be loaded or saved; did you mean MYSQL SERVERS?",
    ],
    ['SAVE MYSQL USERS TO DIKS', "1064 'DIKS' is no layer; did you mean DISK?"],
    [
      'SAVE MYSQL USERS TO RUNTIME',
      '1064 There is no SAVE MYSQL USERS TO RUNTIME: SAVE … TO MEMORY (from RUNTIME), SAVE … TO DISK (from MEMORY)',
    ],
    [
      'LOAD MYSQL USERS TO DISK',
      '1064 There is no LOAD MYSQL USERS TO DISK: LOAD … TO RUNTIME, TO MEMORY (from DISK), FROM CONFIG, TO SHADOW',
    ],
    ['LOAD MYSQL USERS TO SHADOW', '1064 MYSQL USERS cannot be loaded to SHADOW, only MYSQL QUERY RULES'],
    ['LOAD MYSQL USER nobody TO RUNTIME', "1210 mysql_users has no user 'nobody', nor has RUNTIME"],
    [
      'ROLLBACK RUNTIME TO yesterday',
      "1064 'ROLLBACK RUNTIME TO yesterday' is not how to write it: ROLLBACK RUNTIME [TO <version>]",
    ],
  ];
  for (const [text, expected] of errors) t.equal(await run(new FakeAdminState(), text), expected);
});

t.test('why the layers did not do it', async (t) => {
  const state = new FakeAdminState();
  state.runtime.failure = new RowError([
    { table: 'mysql_users', key: 'username a', column: 'active', message: 'expected 0 or 1, found "2"' },
  ]);
  t.equal(
    await run(state, 'LOAD MYSQL USERS TO RUNTIME'),
    '1210 mysql_users (username a), column active: expected 0 or 1, found "2"',
  );
  state.runtime.failure = new StoreError('noDisk', 'There is no disk: set dataDir');
  t.equal(await run(state, 'SAVE MYSQL USERS TO DISK'), '1210 There is no disk: set dataDir');
  state.runtime.failure = new RangeError('there is no version 99; kept are 1, 2');
  t.equal(await run(state, 'ROLLBACK RUNTIME TO 99'), '1210 there is no version 99; kept are 1, 2');
});

t.test('a stats user changes nothing, and sees no table of the configuration', async (t) => {
  const state = new FakeAdminState();
  for (const text of [
    'LOAD MYSQL USERS TO RUNTIME',
    'SAVE MYSQL USERS TO DISK',
    'LOAD MYSQL USER a TO RUNTIME',
    'ROLLBACK RUNTIME',
    'DIFF RUNTIME MEMORY',
    'CHECKSUM MYSQL USERS',
    'SELECT GLOBAL_CHECKSUM()',
    'PROMOTE SHADOW',
    'DROP SHADOW',
  ])
    t.match(await run(state, text, 'stats'), /^1045 /, text);
  t.strictSame(state.runtime.calls, []);
});

t.test('who brought what into force', async (t) => {
  const state = new FakeAdminState();
  await run(state, 'LOAD MYSQL QUERY RULES TO RUNTIME');
  const answer = await run(state, 'SHOW RUNTIME VERSIONS', 'stats');
  t.match(answer, {
    rows: [
      [1, 1, 'NO', '', '1970-01-01T00:00:00.000Z', 'start', ''],
      [
        2,
        2,
        'YES',
        String,
        '1970-01-01T00:00:01.000Z',
        "'boss'@'10.0.0.9'",
        'LOAD MYSQL QUERY RULES TO RUNTIME',
      ],
    ],
  });
});
