/** Steps that bind a session to its server connection, for a while or for good, and those that set it free again. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { SessionModel } from './session-model.ts';
import { fillIn, oneOf, queryStep, type SessionStep, type StepKind } from './step-kind.ts';

const holding = true;

/** What stays until the session is reset, as far as the generator can know. */
function sticky(
  name: string,
  weight: number,
  statements: readonly string[],
  more: Partial<StepKind> = {},
): StepKind {
  return {
    name,
    weight,
    holding,
    make: (random, model) => {
      model.holds.add('sticky');
      return fillIn(random.pick(statements), random, model);
    },
    ...more,
  };
}

const BEGINS = [
  'BEGIN',
  'START TRANSACTION',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT',
  'BEGIN WORK',
] as const;

const TRANSACTIONS: readonly StepKind[] = [
  {
    name: 'begin',
    weight: 4,
    holding,
    make: (random, model) => {
      model.begin();
      return random.pick(BEGINS);
    },
  },
  {
    name: 'end',
    weight: 8,
    make: (random, model) => {
      const ends = [
        'COMMIT',
        'ROLLBACK',
        'COMMIT WORK',
        'COMMIT AND NO CHAIN',
        'ROLLBACK NO RELEASE',
      ] as const;
      const chains = ['COMMIT AND CHAIN', 'ROLLBACK AND CHAIN'] as const;
      if (model.inTransaction && random.below(6) === 0) return random.pick(chains);
      if (model.xa === 'none') model.end();
      return random.pick(ends);
    },
  },
  {
    name: 'autocommit',
    weight: 3,
    holding,
    make: (random, model) => {
      const on = !model.autocommit || random.below(4) === 0;
      model.autocommit = on;
      if (on) model.end();
      else model.begin();
      return `SET ${random.pick(['', '@@session.', 'SESSION '])}autocommit = ${on ? 1 : 0}`;
    },
  },
  oneOf('savepoint', 3, [
    'SAVEPOINT a',
    'SAVEPOINT b',
    'ROLLBACK TO a',
    'RELEASE SAVEPOINT b',
    'ROLLBACK TO SAVEPOINT b',
  ]),
  {
    name: 'set transaction',
    weight: 2,
    holding,
    make: (random, model) => {
      const level = random.pick(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']);
      const scope = random.pick(['', 'SESSION ']);
      if (level === 'SERIALIZABLE') model.serializable = true;
      // Holds until the next transaction, which need not be an explicit one.
      model.holds.add('sticky');
      return `SET ${scope}TRANSACTION ISOLATION LEVEL ${level}`;
    },
  },
];

function xa(random: SeededRandom, model: SessionModel): string | null {
  const id = (): string => `'x{session}n${model.xaNumber}'`;
  if (model.xa === 'none') {
    if (model.inTransaction || !model.autocommit || model.holds.has('locks')) return null;
    model.xa = 'active';
    model.xaNumber++;
    model.holds.add('sticky');
    return `XA START ${id()}`;
  }
  if (model.xa === 'active') {
    model.xa = 'idle';
    return `XA END ${id()}`;
  }
  if (model.xa === 'idle' && random.below(2) === 0) {
    model.xa = 'prepared';
    return `XA PREPARE ${id()}`;
  }
  const onePhase = model.xa === 'idle' ? ' ONE PHASE' : '';
  model.xa = 'none';
  return random.below(2) === 0 ? `XA COMMIT ${id()}${onePhase}` : `XA ROLLBACK ${id()}`;
}

function lockTables(random: SeededRandom, model: SessionModel): string | null {
  if (model.xa !== 'none' || model.handler) return null;
  if (model.holds.has('locks')) {
    model.holds.delete('locks');
    return 'UNLOCK TABLES';
  }
  model.end();
  model.holds.add('locks');
  return fillIn(
    random.pick(['LOCK TABLES {t} WRITE, diff.f_org READ', 'LOCK TABLES diff.f_org READ, diff.f_int READ']),
    random,
    model,
  );
}

function handler(_: SeededRandom, model: SessionModel): string {
  model.holds.add('sticky');
  if (!model.handler) {
    model.handler = true;
    return 'HANDLER diff.f_org OPEN AS h';
  }
  return 'HANDLER h READ `PRIMARY` NEXT LIMIT 2';
}

function text(random: SeededRandom, model: SessionModel): string {
  model.holds.add('sticky');
  const name = random.pick(['ta', 'tb']);
  const parameters = model.textStatements.get(name);
  if (parameters === undefined || random.below(6) === 0) {
    const [sql, count] = random.pick([
      ['SELECT ? AS a, @u1 AS b', 1],
      ['SELECT id FROM diff.f_org WHERE id > ? ORDER BY id', 1],
      [`INSERT INTO ${model.table(random)} (n, v) VALUES (?, ?)`, 2],
      ['SELECT @@sql_mode', 0],
      ["SELECT CAST(? AS SIGNED), 'x'", 1],
      ['SELECT nope', 0],
    ] as const);
    model.textStatements.set(name, count);
    return `PREPARE ${name} FROM '${sql.replaceAll("'", "''")}'`;
  }
  if (random.below(5) === 0) {
    model.textStatements.delete(name);
    return `${random.pick(['DEALLOCATE', 'DROP'])} PREPARE ${name}`;
  }
  const values = ['@u1', '@u2'].slice(0, parameters);
  return `EXECUTE ${name}${values.length === 0 ? '' : ` USING ${values.join(', ')}`}`;
}

/** Closed by the server: the client connects again. */
function release(random: SeededRandom, model: SessionModel): string | null {
  if (model.xa !== 'none') return null;
  model.gone = true;
  return random.pick(['COMMIT RELEASE', 'ROLLBACK RELEASE']);
}

function reset(random: SeededRandom, model: SessionModel): SessionStep | null {
  if (model.xa !== 'none') return null;
  model.reset();
  const way = random.below(10);
  if (way < 4) return { resetConnection: true };
  if (way < 7) {
    const user = random.pick(['app', 'app', 'limited']);
    return { changeUser: { user, schema: random.pick(['diff', 'diff', null]), password: undefined } };
  }
  model.reconnect();
  return { reconnect: true };
}

/** Backslashes and quotes inside of characters of two bytes: what they are depends on the character set. */
const BYTES = [
  "SELECT '\x81\\'",
  "SELECT '\x95\\', 1",
  "SELECT '\xd6\xd0', HEX('\xd6\xd0')",
  "SELECT '\xe4\xf6'",
  "SELECT '\x81\\', 'x' -- '",
];

export const HOLDING_KINDS: readonly StepKind[] = [
  ...TRANSACTIONS,
  { name: 'xa', weight: 2, holding, make: xa },
  { name: 'lock tables', weight: 2, holding, make: lockTables },
  { name: 'handler', weight: 1, holding, make: handler },
  { name: 'text prepare', weight: 6, holding, make: text },
  sticky('user variable', 5, [
    'SET @u1 = {n}',
    "SET @u1 = 'text', @u2 = NULL",
    'SET @u2 = @u1 + 1',
    'SET @u1 := 1.50, @u2 = 2e3',
    'SELECT @u1 := {n} AS a',
    'SELECT id INTO @u2 FROM diff.f_org WHERE id = 2',
    "SELECT @u1, @u2, @u3, @'quoted name'",
    "SET @'quoted name' = X'4D'",
  ]),
  sticky('user lock', 3, [
    "SELECT GET_LOCK('l{session}a', 0)",
    "SELECT GET_LOCK('l{session}b', 0)",
    "SELECT RELEASE_LOCK('l{session}a')",
    "SELECT IS_FREE_LOCK('l{session}a')",
    "DO RELEASE_LOCK('l{session}b')",
    'SELECT RELEASE_ALL_LOCKS()',
  ]),
  sticky('temporary table', 4, [
    'CREATE TEMPORARY TABLE diff.tmp (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(10))',
    'CREATE TEMPORARY TABLE IF NOT EXISTS diff.tmp (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(10))',
    "INSERT INTO diff.tmp (v) VALUES ('t')",
    'SELECT * FROM diff.tmp ORDER BY id',
    'CREATE TEMPORARY TABLE diff.f_empty (other INT)',
    'SELECT * FROM diff.f_empty',
    'DROP TEMPORARY TABLE IF EXISTS diff.tmp',
    'DROP TEMPORARY TABLE diff.f_empty',
    'ALTER TABLE diff.tmp ADD COLUMN w INT',
  ]),
  sticky('call', 3, [
    'CALL diff.f_two()',
    // MySQL's answer to an empty procedure repeats the row count of whatever ran before on the connection.
    'DO 1; CALL diff.f_none()',
    'SET @c = 1; CALL diff.f_out({n}, @b, @c); SELECT @b, @c',
    'CALL diff.f_empty_then_error()',
    'SELECT diff.f_double({n})',
  ]),
  sticky('found rows', 3, [
    'SELECT SQL_CALC_FOUND_ROWS id FROM diff.f_org ORDER BY id LIMIT 2',
    'SELECT SQL_CALC_FOUND_ROWS id FROM diff.f_org WHERE id > {n} LIMIT 0',
    'SELECT FOUND_ROWS()',
  ]),
  {
    name: 'bytes',
    weight: 2,
    holding,
    make: (random, model) => {
      model.holds.add('sticky');
      return { bytes: random.pick(BYTES), ignore: [] };
    },
  },
  sticky('not understood', 2, [
    'SELEC',
    '',
    'SELECT COUNT (*) FROM diff.f_org',
    'CALL diff.nosuch()',
    "SELECT 'open",
  ]),
  sticky('variables that pin', 1, [
    'SET timestamp = 1700000000',
    'SET insert_id = 50{n}',
    'SET last_insert_id = {n}',
    'SELECT NOW() = FROM_UNIXTIME(1700000000)',
  ]),
  sticky('get diagnostics', 2, [
    'GET DIAGNOSTICS @d = NUMBER',
    'GET DIAGNOSTICS CONDITION 1 @e = MYSQL_ERRNO',
    'SELECT @d, @e',
  ]),
  {
    name: 'load data',
    weight: 1,
    make: (random, model) =>
      queryStep(
        `LOAD DATA LOCAL INFILE 'x' INTO TABLE ${model.table(random)} (n, v)`,
        random.pick(['1\ta\n2\tb\n', '', '3\n', 'x\ty\n']),
      ),
  },
  { name: 'release', weight: 1, make: release },
  { name: 'reset', weight: 4, make: reset },
];

/** Lets go of the server connection, for the next session that wants one. */
export const RESET = reset;
