/** Statements that change a writer's rows in the shared tables, and what each of them changes. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Cell } from '../model/cell.ts';
import type { Change } from '../model/chain.ts';
import type { Parameter } from './checker-connection.ts';
import type { MadeKeys } from './made-keys.ts';
import { groupOf, keyOf, ROW_TABLES } from './schema.ts';
import type { Statement } from './statement.ts';
import type { Owner, World } from './world.ts';

export interface PlannedWrite extends Statement {
  readonly changes: readonly Change[];
  /** Content of a LOCAL file; only the text protocol has LOAD DATA then. */
  readonly file?: string;
  /** Visible at once, whatever the transaction does: the table has no transactions. */
  readonly isImmediate: boolean;
  /** Wants to hear of the answer. */
  readonly made?: MadeKeys;
}

/** What the writer would read: its uncommitted changes over what it has committed. */
export type Current = (cell: Cell) => number | null;

type PutForm = (table: string, id: number, stamp: number) => Statement & { readonly file?: string };

const PUT_TABLES = ['a', 'a', 'p', 'm', 'b', 'd', 'u', 'r'];
/** What a transaction can take back. */
export const TRANSACTIONAL_TABLES = PUT_TABLES.filter((table) => table !== 'm');

function keyed(
  table: string,
  id: number,
  stamp: number,
): { columns: string; marks: string; values: Parameter[] } {
  if (table !== 'u') return { columns: 'id, grp, n', marks: '?, ?, ?', values: [id, groupOf(id), stamp] };
  return { columns: 'id, grp, n, k', marks: '?, ?, ?, ?', values: [id, groupOf(id), stamp, keyOf(id)] };
}

const update: PutForm = (table, id, stamp) => ({
  sql: `UPDATE ${table} SET n = ? WHERE id = ?`,
  parameters: [stamp, id],
});

function inserting(verb: string, behind = ''): PutForm {
  return (table, id, stamp) => {
    const { columns, marks, values } = keyed(table, id, stamp);
    return { sql: `${verb} INTO ${table} (${columns}) VALUES (${marks})${behind}`, parameters: values };
  };
}

const insert = inserting('INSERT');
const replace = inserting('REPLACE');
const upsert = inserting('INSERT', ' ON DUPLICATE KEY UPDATE n = VALUES(n)');

const load: PutForm = (table, id, stamp) => {
  const { columns, values } = keyed(table, id, stamp);
  const sql = `LOAD DATA LOCAL INFILE 'rows' REPLACE INTO TABLE ${table} (${columns})`;
  return { sql, parameters: [], file: `${values.join('\t')}\n` };
};

const byView: PutForm = (_table, id, stamp) => ({
  sql: 'UPDATE va SET n = ? WHERE id = ?',
  parameters: [stamp, id],
});

const byUniqueKey: PutForm = (_table, id, stamp) => ({
  sql: 'UPDATE u SET n = ? WHERE k = ?',
  parameters: [stamp, keyOf(id)],
});

const byProcedure: PutForm = (_table, id, stamp) => ({
  sql: 'CALL set_a(?, ?, ?)',
  parameters: [id, groupOf(id), stamp],
});

const byFunction: PutForm = (_table, id, stamp) => ({
  sql: 'SELECT change_a(?, ?)',
  parameters: [id, stamp],
});

/** Nobody knows which tables they change. */
const OF_EVERYTHING: ReadonlySet<PutForm> = new Set([byProcedure, byFunction]);

/** For a row that is there, and for one that is not. */
const FORMS: Readonly<
  Record<string, { readonly there: readonly PutForm[]; readonly not: readonly PutForm[] }>
> = {
  a: {
    there: [update, update, replace, upsert, load, byView, byProcedure, byFunction],
    not: [insert, replace, upsert, load, byProcedure],
  },
  p: { there: [update, replace, upsert, load], not: [insert, replace, upsert, load] },
  m: { there: [update, replace, upsert], not: [insert, replace, upsert, load] },
  // A REPLACE would delete the children first.
  b: { there: [update, update, upsert], not: [insert, upsert] },
  d: { there: [update, upsert, replace], not: [insert, upsert, replace, load] },
  u: {
    there: [update, byUniqueKey, byUniqueKey, replace, upsert, load],
    not: [insert, replace, upsert, load],
  },
};

export class WriteGenerator {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #owner: Owner;

  constructor(world: World, random: SeededRandom, owner: Owner) {
    this.#world = world;
    this.#random = random;
    this.#owner = owner;
  }

  next(current: Current, tables: readonly string[] = PUT_TABLES): PlannedWrite {
    const id = this.#random.pick(this.#owner.ids);
    if (this.#random.below(100) < this.#world.pinned) return this.#pinned(id, current);
    const made = this.#special(this.#random.below(100), id, current);
    return made ?? this.#single(this.#random.pick(tables), id, current);
  }

  /** One row of this table, and of no other. */
  nextOf(table: string, current: Current): PlannedWrite {
    return this.#single(table, this.#random.pick(this.#owner.ids), current);
  }

  /** UPDATE, in many cases. */
  #pinned(id: number, current: Current): PlannedWrite {
    if (this.#world.makesKeys && this.#random.below(5) < 2)
      return this.#owner.made.next(this.#random, current);
    const table = this.#random.pick(ROW_TABLES);
    const kind = this.#random.below(12);
    if (kind === 0 && table !== 'u' && table !== 'r') return this.#putBoth(table, current);
    if (kind < 3 && current(this.#cell(table, id)) !== null) return this.#remove(table, id, current);
    if (current(this.#cell(table, id)) === null || kind < 4) return this.#single(table, id, current);
    const stamp = this.#stamp();
    const changes = this.#follow(table, id, stamp, current);
    return { ...update(table, id, stamp), changes, isImmediate: false };
  }

  #special(kind: number, id: number, current: Current): PlannedWrite | null {
    const there = (table: string): boolean => current(this.#cell(table, id)) !== null;
    if (kind < 8 && there('a') && there('p')) return this.#both(id);
    if (kind < 11 && there('a') && there('p')) return this.#removeBoth(id);
    if (kind < 18) return this.#several(this.#random.pick(['a', 'p', 'u']), current);
    if (kind < 24 && there('a') && !there('p')) return this.#insertSelect(id);
    if (kind < 40 && there('b') && !there('c')) return this.#child(id, current);
    return null;
  }

  #single(table: string, id: number, current: Current): PlannedWrite {
    if (table === 'r') return this.#take(id, current);
    const isThere = current(this.#cell(table, id)) !== null;
    if (isThere && this.#random.below(6) === 0) return this.#remove(table, id, current);
    const stamp = this.#stamp();
    const forms = FORMS[table]!;
    const form = this.#form(isThere ? forms.there : forms.not);
    const statement = form(table, id, stamp);
    return { ...statement, changes: this.#follow(table, id, stamp, current), isImmediate: table === 'm' };
  }

  /** All of its rows by one statement, whether they are there or not. */
  #putBoth(table: string, current: Current): PlannedWrite {
    const stamp = this.#stamp();
    const { ids } = this.#owner;
    const isThere = ids.some((id) => current(this.#cell(table, id)) !== null);
    const rows = ids.map(() => '(?, ?, ?)').join(', ');
    const verb = isThere ? 'REPLACE' : this.#random.pick(['INSERT', 'INSERT IGNORE', 'REPLACE']);
    return {
      sql: `${verb} INTO ${table} (id, grp, n) VALUES ${rows}`,
      parameters: ids.flatMap((id) => [id, groupOf(id), stamp]),
      changes: ids.map((id) => this.#put(table, id, stamp)),
      isImmediate: false,
    };
  }

  /** The row that has the other unique key goes, or changes in its place. */
  #take(id: number, current: Current): PlannedWrite {
    const stamp = this.#stamp();
    const holder = this.#owner.ids.find((one) => current(this.#cell('r', one)) !== null);
    const replaces = holder === undefined || holder === id || this.#random.below(2) === 0;
    const values = `INTO r (id, grp, n, k) VALUES (?, ?, ?, ?)`;
    const changes = [this.#put('r', replaces ? id : holder, stamp)];
    if (replaces && holder !== undefined && holder !== id)
      changes.push({ ...this.#put('r', holder, stamp), absent: true });
    return {
      sql: replaces ? `REPLACE ${values}` : `INSERT ${values} ON DUPLICATE KEY UPDATE n = VALUES(n)`,
      parameters: [id, groupOf(id), stamp, this.#owner.number],
      changes,
      isImmediate: false,
    };
  }

  #form(forms: readonly PutForm[]): PutForm {
    return this.#random.pick(this.#world.isCalm ? forms.filter((form) => !OF_EVERYTHING.has(form)) : forms);
  }

  /** With what a cascade or a trigger does. */
  #follow(table: string, id: number, stamp: number, current: Current): Change[] {
    const changes = [this.#put(table, id, stamp)];
    if (table === 'd') changes.push(this.#put('e', id, stamp));
    if (table === 'b' && current(this.#cell('c', id)) !== null) changes.push(this.#put('c', id, stamp));
    return changes;
  }

  #remove(table: string, id: number, current: Current): PlannedWrite {
    const stamp = this.#stamp();
    const changes = this.#follow(table, id, stamp, current).map((change) => ({ ...change, absent: true }));
    return {
      sql: `DELETE FROM ${table} WHERE id = ?`,
      parameters: [id],
      changes,
      isImmediate: table === 'm',
    };
  }

  #both(id: number): PlannedWrite {
    const stamp = this.#stamp();
    return {
      sql: 'UPDATE a JOIN p ON p.id = a.id SET a.n = ?, p.n = ? WHERE a.id = ?',
      parameters: [stamp, stamp, id],
      changes: [this.#put('a', id, stamp), this.#put('p', id, stamp)],
      isImmediate: false,
    };
  }

  #removeBoth(id: number): PlannedWrite {
    const stamp = this.#stamp();
    const changes = ['a', 'p'].map((table) => ({ ...this.#put(table, id, stamp), absent: true }));
    return {
      sql: 'DELETE a, p FROM a JOIN p ON p.id = a.id WHERE a.id = ?',
      parameters: [id],
      changes,
      isImmediate: false,
    };
  }

  #several(table: string, current: Current): PlannedWrite {
    const stamp = this.#stamp();
    const { ids } = this.#owner;
    const there = ids.filter((id) => current(this.#cell(table, id)) !== null);
    return {
      sql: `UPDATE ${table} SET n = ? WHERE id IN (${ids.map(() => '?').join(', ')})`,
      parameters: [stamp, ...ids],
      changes: there.map((id) => this.#put(table, id, stamp)),
      isImmediate: false,
    };
  }

  #insertSelect(id: number): PlannedWrite {
    const stamp = this.#stamp();
    return {
      sql: 'INSERT INTO p (id, grp, n) SELECT id, grp, ? FROM a WHERE id = ?',
      parameters: [stamp, id],
      changes: [this.#put('p', id, stamp)],
      isImmediate: false,
    };
  }

  /** A child has its parent's value, and versions rise: a parent that has not changed since the last child has to. */
  #child(id: number, current: Current): PlannedWrite | null {
    const parent = current(this.#cell('b', id))!;
    const child = this.#cell('c', id);
    if (parent <= child.lastStamp) return null;
    return {
      sql: 'INSERT INTO c (id, grp, n) VALUES (?, ?, ?)',
      parameters: [id, groupOf(id), parent],
      changes: [this.#put('c', id, parent)],
      isImmediate: false,
    };
  }

  #put(table: string, id: number, stamp: number): Change {
    return { cell: this.#cell(table, id), stamp, absent: false };
  }

  #cell(table: string, id: number): Cell {
    return this.#world.cell(table, id)!;
  }

  #stamp(): number {
    return this.#owner.chain.nextStamp();
  }
}
