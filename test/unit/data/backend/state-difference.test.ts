import t from 'tap';
import { NAMES_COLLATION, SessionVariables } from '../../../../src/data/backend/session-variables.ts';
import { literalOf, StateDifferences } from '../../../../src/data/backend/state-difference.ts';

const MARIADB = { flavor: 'mariadb', versionId: 101_119 } as const;
const MYSQL = { flavor: 'mysql', versionId: 80_400 } as const;

function difference(
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
  server: typeof MARIADB | typeof MYSQL = MARIADB,
): string {
  return new StateDifferences().between(
    SessionVariables.of(Object.entries(from)),
    SessionVariables.of(Object.entries(to)),
    server,
  );
}

t.test('literals', async (t) => {
  const hex = (text: string) => `CONVERT(0x${Buffer.from(text).toString('hex')} USING utf8mb4)`;
  const cases: readonly (readonly [string, string, string])[] = [
    ['sql_select_limit', '18446744073709551615', '18446744073709551615'],
    ['long_query_time', '1.500000', '1.500000'],
    ['x', '-1', '-1'],
    ['x', '1e3', "_utf8mb4'1e3'"],
    ['x', '1.', "_utf8mb4'1.'"],
    ['x', '007', "_utf8mb4'007'"],
    ['x', '0', '0'],
    ['autocommit', 'ON', "_utf8mb4'ON'"],
    ['sql_mode', '', "_utf8mb4''"],
    ['character_set_results', '', 'NULL'],
    ['x', "it's", "_utf8mb4'it''s'"],
    ['x', '"', "_utf8mb4'\"'"],
    ['x', 'a\\', hex('a\\')],
    ['x', "\\'; DROP TABLE t", hex("\\'; DROP TABLE t")],
    ['x', 'é', hex('é')],
    ['x', 'a\0b', hex('a\0b')],
    ['x', 'a\nb', hex('a\nb')],
  ];
  for (const [name, value, want] of cases) t.equal(literalOf(name, value), want, JSON.stringify(value));
});

t.test('only what differs', async (t) => {
  t.equal(difference({ a: '1', b: '2' }, { a: '1', b: '2' }), '');
  t.equal(difference({ a: '1', b: '2' }, { a: '1', b: '3' }), 'SET @@session.b=3');
  t.equal(difference({ a: '1' }, { a: '1', time_zone: 'UTC' }), "SET @@session.time_zone=_utf8mb4'UTC'");
});

t.test('what the connection has beyond the session goes back to its default', async (t) => {
  t.equal(difference({ a: '1', sql_mode: 'ANSI' }, { a: '1' }), 'SET @@session.sql_mode=DEFAULT');
});

t.test('the collation comes after everything that changes it', async (t) => {
  t.equal(
    difference(
      { character_set_client: 'latin1', collation_connection: 'latin1_swedish_ci', time_zone: 'SYSTEM' },
      { character_set_client: 'utf8mb4', collation_connection: 'utf8mb4_bin', time_zone: 'UTC' },
    ),
    "SET @@session.character_set_client=_utf8mb4'utf8mb4',@@session.time_zone=_utf8mb4'UTC',@@session.collation_connection=_utf8mb4'utf8mb4_bin'",
  );
  t.equal(
    difference(
      { character_set_connection: 'latin1', collation_connection: 'utf8mb4_bin' },
      { character_set_connection: 'utf8mb4', collation_connection: 'utf8mb4_bin' },
    ),
    '',
    'character_set_connection follows the collation',
  );
});

t.test('SET NAMES where the session had it', async (t) => {
  const latin = {
    [NAMES_COLLATION]: 'latin1_swedish_ci',
    character_set_client: 'latin1',
    character_set_results: 'latin1',
    character_set_connection: 'latin1',
    collation_connection: 'latin1_swedish_ci',
  };
  const utf8 = {
    [NAMES_COLLATION]: 'utf8mb4_bin',
    character_set_client: 'utf8mb4',
    character_set_results: 'utf8mb4',
    character_set_connection: 'utf8mb4',
    collation_connection: 'utf8mb4_bin',
  };
  t.equal(difference(latin, utf8), 'SET NAMES utf8mb4 COLLATE utf8mb4_bin');
  t.equal(
    difference(latin, { ...utf8, character_set_results: '' }),
    'SET NAMES utf8mb4 COLLATE utf8mb4_bin,@@session.character_set_results=NULL',
  );
  t.equal(difference(latin, latin), '');
});

t.test('the names that the server knows', async (t) => {
  const from = { tx_isolation: 'REPEATABLE-READ', tx_read_only: 'OFF' };
  const to = { tx_isolation: 'READ-COMMITTED', tx_read_only: 'ON' };
  t.equal(
    difference(from, to),
    "SET @@session.tx_isolation=_utf8mb4'READ-COMMITTED',@@session.tx_read_only=_utf8mb4'ON'",
  );
  t.equal(
    difference(from, to, MYSQL),
    "SET @@session.transaction_isolation=_utf8mb4'READ-COMMITTED',@@session.transaction_read_only=_utf8mb4'ON'",
  );
});

t.test('differences are remembered, boundedly, and not mixed up between servers', async (t) => {
  const differences = new StateDifferences();
  const from = SessionVariables.of([['tx_isolation', 'a']]);
  const to = SessionVariables.of([['tx_isolation', 'b']]);
  for (let round = 0; round < 2; round++) {
    t.match(differences.between(from, to, MARIADB), /tx_isolation=_utf8mb4'b'/);
    t.match(differences.between(from, to, MYSQL), /transaction_isolation=_utf8mb4'b'/);
    t.match(differences.between(to, from, MARIADB), /tx_isolation=_utf8mb4'a'/);
  }
  for (let index = 0; index < 10_000; index++)
    differences.between(from, SessionVariables.of([['x', String(index)]]), MARIADB);
  t.match(differences.between(from, to, MARIADB), /tx_isolation=_utf8mb4'b'/);
});
