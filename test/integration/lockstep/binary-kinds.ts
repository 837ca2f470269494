/** Steps of the binary protocol. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { PreparedModel, SessionModel } from './session-model.ts';
import { fillIn, randomParameter, type SessionStep, type StepKind } from './step-kind.ts';

const STATEMENTS: ReadonlyArray<readonly [sql: string, parameters: number, rows: boolean]> = [
  ['SELECT ? AS v', 1, true],
  ['SELECT ?, @@sql_mode, @@time_zone, DATABASE()', 1, true],
  ['SELECT id, name FROM diff.f_org WHERE id > ? ORDER BY id', 1, true],
  ['SELECT * FROM diff.f_time WHERE id = ?', 1, true],
  ['SELECT id, n, v FROM {t} ORDER BY id', 0, true],
  ['SELECT * FROM {t} ORDER BY id', 0, true],
  ['SELECT LAST_INSERT_ID()', 0, true],
  ['INSERT INTO {t} (n, v) VALUES (?, ?)', 2, false],
  ['UPDATE {t} SET v = ? WHERE n = ?', 2, false],
  ['DELETE FROM {t} WHERE n = ?', 1, false],
  ['SET sql_mode = ?', 1, false],
  ["SET time_zone = '+02:00'", 0, false],
  ['SHOW COLUMNS FROM diff.f_org', 0, true],
  ['SELECT "id" FROM diff.f_org WHERE id = ?', 1, true],
  ["SELECT 'a' || ?", 1, true],
  ['SELECT nope', 0, false],
  ['SELECT 1; SELECT 2', 0, false],
  ['DO ?', 1, false],
];
const NAMES = ['a', 'b', 'c'] as const;

function open(random: SeededRandom, model: SessionModel): SessionStep {
  const [sql, parameters, rows] = random.pick(STATEMENTS);
  const name = random.pick(NAMES);
  model.holds.add('binary');
  model.binaryStatements.set(name, { parameters, rows });
  return { open: { as: name, sql: fillIn(sql, random, model) } };
}

function some(random: SeededRandom, model: SessionModel): [string, PreparedModel] | null {
  const all = [...model.binaryStatements];
  return all.length === 0 ? null : random.pick(all);
}

function execute(random: SeededRandom, model: SessionModel): SessionStep | null {
  const chosen = some(random, model);
  if (chosen === null) return null;
  const [stmt, { parameters, rows }] = chosen;
  return {
    execute: {
      stmt,
      params: Array.from({ length: parameters }, () => randomParameter(random)),
      times: 1,
      flags: rows && random.below(4) === 0 ? 1 : 0,
      iterations: 1,
      bound: true,
      cut: 0,
      long: [],
    },
  };
}

function longData(random: SeededRandom, model: SessionModel): SessionStep | null {
  const chosen = some(random, model);
  if (chosen === null || chosen[1].parameters === 0) return null;
  return { longData: { stmt: chosen[0], param: random.below(2), chunks: ['ab', 'cd'] } };
}

function close(random: SeededRandom, model: SessionModel): SessionStep | null {
  const chosen = some(random, model);
  if (chosen === null) return null;
  model.binaryStatements.delete(chosen[0]);
  if (model.binaryStatements.size === 0) model.holds.delete('binary');
  return { close: chosen[0] };
}

const ofSome =
  (make: (stmt: string, random: SeededRandom) => SessionStep) =>
  (random: SeededRandom, model: SessionModel) => {
    const chosen = some(random, model);
    return chosen === null ? null : make(chosen[0], random);
  };

export const BINARY_KINDS: readonly StepKind[] = [
  { name: 'prepare', weight: 7, holding: true, make: open },
  { name: 'execute', weight: 16, make: execute },
  {
    name: 'fetch',
    weight: 4,
    make: ofSome((stmt, random) => ({ fetch: { stmt, rows: 1 + random.below(4) } })),
  },
  { name: 'long data', weight: 2, make: longData },
  { name: 'reset statement', weight: 2, make: ofSome((stmt) => ({ resetStatement: stmt })) },
  { name: 'close', weight: 3, make: close },
];
