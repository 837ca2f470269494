/** Passwords that change while their accounts are logged in: what happens straight, and through Sluice. */

import { type Connection, createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { logIn } from './login-probe.ts';
import { loadUsers } from './run-logins.ts';

type Target = Pick<DatabaseServer, 'port'>;

export interface PasswordForm {
  /** `?` is where the new password stands. */
  readonly sql: string;
  /** No text of it is in the statement. */
  readonly isHidden?: boolean;
}

export const COMMON_FORMS: readonly PasswordForm[] = [
  { sql: "SET PASSWORD = PASSWORD('?')" },
  { sql: "SET PASSWORD FOR CURRENT_USER() = PASSWORD('?')" },
  { sql: "SET PASSWORD FOR me@'%' = PASSWORD('?')" },
  { sql: "ALTER USER CURRENT_USER() IDENTIFIED BY '?'" },
  { sql: "/* x */ alter user me@'%' identified by '?';" },
];

export function open(target: Target, user: string, password: string): Promise<Connection> {
  const { port } = target;
  return createConnection({ host: '127.0.0.1', port, user, password, multipleStatements: true });
}

/** Rows, or the error. */
export async function outcomeOf(connection: Connection, sql: string): Promise<string> {
  try {
    const [rows] = await connection.query(sql);
    return Array.isArray(rows) ? JSON.stringify(rows) : 'ok';
  } catch (error) {
    const { errno, message } = error as Error & { errno: number };
    return `${errno} ${message}`;
  }
}

/** All at once hold a connection to the server each, and say who they are. */
async function allAtOnce(sessions: readonly Connection[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const session of sessions) outcomes.push(await outcomeOf(session, 'START TRANSACTION'));
  for (const session of sessions) outcomes.push(await outcomeOf(session, 'SELECT CURRENT_USER() AS who'));
  for (const session of sessions) outcomes.push(await outcomeOf(session, 'ROLLBACK'));
  return outcomes;
}

async function changeOwn(target: Target, { sql, isHidden }: PasswordForm): Promise<string[]> {
  const sessions = [await open(target, 'me', 'one'), await open(target, 'me', 'one')];
  const [own] = sessions as [Connection];
  const outcomes: string[] = [];
  for (const session of sessions) outcomes.push(await outcomeOf(session, 'SELECT 1'));
  outcomes.push(await outcomeOf(own, sql.replace('?', 'two')));
  outcomes.push(await logIn(target, { user: 'me', password: 'one' }));
  if (isHidden === true) sessions.push(await open(target, 'me', 'two'));
  outcomes.push(...(await allAtOnce(sessions)));
  outcomes.push(await logIn(target, { user: 'me', password: 'two', query: 'SELECT 1' }));
  outcomes.push(await outcomeOf(own, "SET @x = 1; SELECT 'still here'"));
  for (const session of sessions) session.destroy();
  return outcomes;
}

/** @param sluice with one worker */
export async function runOwnPasswords(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
  forms: readonly PasswordForm[],
): Promise<void> {
  await server.query("CREATE USER me@'%' IDENTIFIED BY 'one'; GRANT CREATE USER ON *.* TO me@'%'");
  for (const form of forms) {
    const outcomes = [];
    for (const target of [server, sluice]) {
      await server.query("ALTER USER me@'%' IDENTIFIED BY 'one'");
      await loadUsers(sluice);
      outcomes.push(await changeOwn(target, form));
    }
    t.strictSame(outcomes[1], outcomes[0], form.sql);
    t.notMatch(outcomes[0], [/^(?!1045)\d+ /], 'no error but at the login with the old one');
  }
  t.notOk(sluice.logContains(/IDENTIFIED BY|PASSWORD\(/), 'no statement is in the log');
}

/** Where nobody has shown the new password: what is open goes on, and a new login is enough for all. */
export async function runUnseenPassword(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
): Promise<void> {
  await server.query("CREATE USER unseen@'%' IDENTIFIED BY 'one'");
  await loadUsers(sluice);
  const first = await open(sluice, 'unseen', 'one');
  const second = await open(sluice, 'unseen', 'one');
  t.equal(await outcomeOf(first, 'SELECT 1'), '[{"1":1}]');
  await server.query("ALTER USER unseen@'%' IDENTIFIED BY 'two'");
  t.equal(await outcomeOf(second, 'SELECT 1'), '[{"1":1}]');
  const who = '[{"who":"unseen@%"}]';
  const [, refused] = (await allAtOnce([first, second])).slice(0, 2);
  t.match(refused, /^9011 .*Access denied for user 'unseen'/);
  await loadUsers(sluice);
  t.match(await logIn(sluice, { user: 'unseen', password: 'one' }), /^1045 /);
  const third = await open(sluice, 'unseen', 'two');
  t.strictSame(await allAtOnce([first, second, third]), [
    ...['ok', 'ok', 'ok'],
    ...[who, who, who],
    ...['ok', 'ok', 'ok'],
  ]);
  for (const session of [first, second, third]) session.destroy();
}

/** The configuration says what opens Sluice. */
export async function runListedPassword(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
): Promise<void> {
  await server.query("CREATE USER listed@'%' IDENTIFIED BY 'pw'");
  const sessions = [await open(sluice, 'listed', 'pw'), await open(sluice, 'listed', 'pw')];
  const [own] = sessions as [Connection];
  t.equal(await outcomeOf(own, "SET PASSWORD = PASSWORD('two')"), 'ok');
  t.strictSame((await allAtOnce(sessions)).slice(2, 4), Array(2).fill('[{"who":"listed@%"}]'));
  t.match(await logIn(sluice, { user: 'listed', password: 'two' }), /^1045 /);
  const late = await open(sluice, 'listed', 'pw');
  for (const session of sessions) await outcomeOf(session, 'START TRANSACTION');
  t.equal(await outcomeOf(sessions[1]!, 'SELECT 1'), '[{"1":1}]');
  for (const session of [...sessions, late]) session.destroy();
}

/** Let in for nothing but to change the password; then a session like any other. */
async function changeExpired(
  target: Target,
  user: string,
  change: string,
  database?: string,
): Promise<string[]> {
  const session = await createConnection({
    ...{ host: '127.0.0.1', port: target.port, user, password: 'one' },
    ...(database === undefined ? {} : { database }),
    flags: ['CAN_HANDLE_EXPIRED_PASSWORDS'],
  });
  const outcomes: string[] = [];
  const run = async (sql: string): Promise<void> => {
    outcomes.push(`${sql}: ${await outcomeOf(session, sql)}`);
  };
  for (const sql of BEFORE_CHANGE) await run(sql);
  outcomes.push(
    await session.execute('SELECT 1').then(
      () => 'prepared',
      (error: Error) => error.message,
    ),
  );
  await run(change);
  outcomes.push(await logIn(target, { user, password: 'two', query: 'SELECT 1' }));
  for (let round = 0; round < 2; round++) for (const sql of AFTER_CHANGE) await run(sql);
  session.destroy();
  return outcomes;
}

const BEFORE_CHANGE = [
  'SELECT 1',
  'SET NAMES latin1',
  "SET sql_mode = 'ANSI_QUOTES'",
  'SHOW WARNINGS',
  'START TRANSACTION',
  'SELECT',
  'USE test_expired',
  "PREPARE s FROM 'SELECT 1'",
];
const AFTER_CHANGE = [
  'SELECT @@sql_mode, @@character_set_client, DATABASE(), CURRENT_USER()',
  'SELECT 1 AS "one"',
  'START TRANSACTION',
  'ROLLBACK',
  'USE test_expired',
];

export async function runExpired(t: Test, server: DatabaseServer, sluice: SluiceProcess): Promise<void> {
  await server.query(
    "CREATE DATABASE test_expired; CREATE USER old@'%'; GRANT ALL ON test_expired.* TO old@'%'",
  );
  const changes = ["SET PASSWORD = PASSWORD('two')", `SET PASSWORD FOR old@'%' = PASSWORD('two')`];
  for (const change of changes)
    for (const database of [undefined, 'test_expired'])
      for (const isKnownHere of [false, true]) {
        const outcomes = [];
        for (const target of [server, sluice]) {
          await server.query("ALTER USER old@'%' IDENTIFIED BY 'one'");
          await loadUsers(sluice);
          // A connection from before must not serve who has to change it first.
          if (isKnownHere) await logIn(sluice, { user: 'old', password: 'one', query: 'SELECT 1' });
          await server.query("ALTER USER old@'%' PASSWORD EXPIRE");
          await loadUsers(sluice);
          outcomes.push(await changeExpired(target, 'old', change, database));
        }
        t.strictSame(outcomes[1], outcomes[0], `${change}, ${database}, ${isKnownHere}`);
        t.match(outcomes[0]?.[0], / 1820 /);
      }
}
