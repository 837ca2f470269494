/** What is read: single rows by each kind of key, groups, joins, views, several tables in one SELECT. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Cell } from '../model/cell.ts';
import type { Observation } from '../model/check-read.ts';
import type { Value } from './answer-reader.ts';
import { groupOf, keyOf, ROW_TABLES } from './schema.ts';
import type { Statement } from './statement.ts';
import type { Owner, World } from './world.ts';

export interface Read extends Statement {
  /** What it tells of, as far as that is known beforehand. */
  readonly cells: () => readonly Cell[];
  /** What the rows say; asked when they have come, so that rows of new writers are known. */
  readonly observe: (rows: readonly (readonly Value[])[]) => Observation[];
}

type Shape = (world: World, random: SeededRandom, owner: Owner) => Read;

const SINGLE_ROW_TABLES = ['a', 'p', 'm', 'b', 'c', 'd', 'e', 'u', 'r', 'va', 'vv', 've'];
/** The table that a view shows. */
const BASE: Readonly<Record<string, string>> = { va: 'a', vv: 'a', ve: 'e' };
/** Read as one snapshot; a table without transactions is none's part. */
const SNAPSHOT_TABLES = ['a', 'p', 'b', 'c', 'd', 'e', 'u'];

function stampOf(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** Rows (id, n) of one table; what is expected and does not come is not there. */
function rowsOf(
  world: World,
  table: string,
  expected: () => readonly Cell[],
): Pick<Read, 'cells' | 'observe'> {
  const observe: Read['observe'] = (rows) => {
    const seen = new Map<Cell, number | null>(expected().map((cell) => [cell, null]));
    for (const [id, n] of rows) {
      const cell = world.cell(table, Number(id));
      if (cell === undefined) throw new Error(`a row of nobody: ${table}:${id}`);
      seen.set(cell, stampOf(n));
    }
    return [...seen].map(([cell, stamp]) => ({ cell, stamp }));
  };
  return { cells: expected, observe };
}

const point: Shape = (world, random, owner) => pointOf(world, random, owner, random.pick(SINGLE_ROW_TABLES));

function pointOf(world: World, random: SeededRandom, owner: Owner, name: string): Read {
  const table = BASE[name] ?? name;
  const id = random.pick(owner.ids);
  const cell = world.cell(table, id)!;
  const meaning = rowsOf(world, table, () => [cell]);
  // Without the row it answers one all the same.
  if (random.below(6) === 0)
    return { sql: `SELECT MAX(id), MAX(n) FROM ${name} WHERE id = ?`, parameters: [id], ...maximum(cell) };
  if (name === 'u' && random.below(2) === 0)
    return { sql: 'SELECT id, n FROM u WHERE k = ?', parameters: [keyOf(id)], ...meaning };
  return { sql: `SELECT id, n FROM ${name} WHERE id = ?`, parameters: [id], ...meaning };
}

/** Of a row by its primary key, whether it is there or not. */
export function readOf(cell: Cell, random: SeededRandom): Read {
  const [table = '', id] = cell.name.split(':');
  const what = random.below(4) === 0 ? 'MAX(id), MAX(n)' : 'id, n';
  return { sql: `SELECT ${what} FROM ${table} WHERE id = ?`, parameters: [Number(id)], ...maximum(cell) };
}

function maximum(cell: Cell): Pick<Read, 'cells' | 'observe'> {
  return { cells: () => [cell], observe: ([row]) => [{ cell, stamp: stampOf(row?.[1]) }] };
}

/** Of a table whose keys the server makes. */
const made: Shape = (_world, random, { made: keys }) => readOf(keys.cell(keys.readable(random)), random);

const pinned: Shape = (world, random, owner) =>
  world.makesKeys && random.below(5) < 2
    ? made(world, random, owner)
    : pointOf(world, random, owner, random.pick(ROW_TABLES));

const group: Shape = (world, random, owner) => {
  const name = random.pick(SINGLE_ROW_TABLES);
  const table = BASE[name] ?? name;
  const number = groupOf(random.pick(owner.ids));
  const meaning = rowsOf(world, table, () => world.group(table, number));
  return { sql: `SELECT id, n FROM ${name} WHERE grp = ? ORDER BY id`, parameters: [number], ...meaning };
};

const list: Shape = (world, random, owner) => {
  const table = random.pick(SNAPSHOT_TABLES);
  const other = random.pick(world.owners);
  const ids = [...new Set([...owner.ids, ...other.ids])];
  const meaning = rowsOf(world, table, () => ids.map((id) => world.cell(table, id)!));
  return {
    sql: `SELECT id, n FROM ${table} WHERE id IN (${ids.map(() => '?').join(', ')})`,
    parameters: ids,
    ...meaning,
  };
};

/** Two tables side by side; the right one's rows are told only where the left one has some. */
const joined: Shape = (world, random, owner) => {
  const number = groupOf(random.pick(owner.ids));
  const [left, right, sql] = random.pick([
    ['a', 'p', 'SELECT a.id, a.n, p.n FROM a LEFT JOIN p ON p.id = a.id WHERE a.grp = ?'],
    ['b', 'c', 'SELECT id, bn, cn FROM vbc WHERE grp = ?'],
    ['d', 'e', 'SELECT d.id, d.n, e.n FROM d LEFT JOIN ve AS e ON e.id = d.id WHERE d.grp = ?'],
  ] as const);
  const lefts = rowsOf(world, left, () => world.group(left, number));
  const observe: Read['observe'] = (rows) => [
    ...lefts.observe(rows),
    ...rows.map(([id, , n]) => ({ cell: world.cell(right, Number(id))!, stamp: stampOf(n) })),
  ];
  const cells = (): Cell[] => [left, right].flatMap((table) => world.group(table, number));
  return { sql, parameters: [number], cells, observe };
};

/** One row of each table, all of one moment. */
const subqueries: Shape = (world, random, owner) => {
  const id = random.pick(owner.ids);
  const parts = SNAPSHOT_TABLES.map((table) => `(SELECT n FROM ${table} WHERE id = ?)`);
  const observe: Read['observe'] = ([row]) =>
    SNAPSHOT_TABLES.map((table, n) => ({ cell: world.cell(table, id)!, stamp: stampOf(row?.[n]) }));
  const cells = SNAPSHOT_TABLES.map((table) => world.cell(table, id)!);
  return { sql: `SELECT ${parts.join(', ')}`, parameters: parts.map(() => id), cells: () => cells, observe };
};

const union: Shape = (world, random, owner) => {
  const tables = ['a', 'b', 'd'] as const;
  const id = random.pick(owner.ids);
  const parts = tables.map((table, n) => `SELECT ${n} AS t, n FROM ${table} WHERE id = ?`);
  const observe: Read['observe'] = (rows) =>
    tables.map((table, n) => {
      const row = rows.find(([number]) => Number(number) === n);
      return { cell: world.cell(table, id)!, stamp: stampOf(row?.[1]) };
    });
  const cells = tables.map((table) => world.cell(table, id)!);
  return { sql: parts.join(' UNION ALL '), parameters: tables.map(() => id), cells: () => cells, observe };
};

/** What its writer truncates, renames and alters; or the view that it replaces. */
const own: Shape = (_world, random, { number, chain }) => {
  const isView = random.below(4) === 0;
  const name = isView ? `w${number}` : `s${number}`;
  const cells = (isView ? [1] : PRIVATE_IDS).map((id) => chain.cell(`${name}:${id}`));
  const observe: Read['observe'] = (rows) =>
    cells.map((cell) => {
      const row = rows.find(([id]) => cell.name === `${name}:${id}`);
      return { cell, stamp: stampOf(row?.[1]) };
    });
  return { sql: `SELECT id, n FROM ${name}`, parameters: [], cells: () => cells, observe };
};

/** Rows of a writer's own table. */
export const PRIVATE_IDS = [0, 1, 2, 3];

const SHAPES: readonly Shape[] = [
  point,
  point,
  point,
  group,
  group,
  list,
  joined,
  joined,
  subqueries,
  union,
  own,
];

export function makeRead(world: World, random: SeededRandom): Read {
  const isPinned = random.below(100) < world.pinned;
  return (isPinned ? pinned : random.pick(SHAPES))(world, random, random.pick(world.owners));
}
