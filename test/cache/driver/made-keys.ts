/**
 * Rows of a writer's own table whose keys the server makes. Nobody else writes there, so that the next key is known as long as
 * each is told: what is read of it has no row, until it has one.
 */

import { decodeOk } from '../../../protocol/index.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Cell } from '../model/cell.ts';
import type { Chain, Change } from '../model/chain.ts';
import type { Current, PlannedWrite } from './writes.ts';

/** Further than what has failed may have moved the server's counter. */
const LEAP = 10;
/** Of the last rows, those that are written once more. */
const BEHIND = 3;
/** Of the next ones, those that are asked for before they are there. */
const AHEAD = 4;
const CAPABILITIES = 0x0200;

export class MadeKeys {
  readonly table: string;
  readonly #chain: Chain;
  /** null: nobody knows. */
  #next: number | null = 1;
  /** The highest that may have been used. */
  #top = 0;
  /** Of the write that is under way: the first key that is to be told, and what is behind it. */
  #expected: { readonly first: number | null; readonly next: number } | null = null;

  constructor(number: number, chain: Chain) {
    this.table = `i${number}`;
    this.#chain = chain;
  }

  /** The last one, or one that will be soon. */
  readable(random: SeededRandom): number {
    return this.#top + random.below(AHEAD + 1);
  }

  cell(id: number): Cell {
    return this.#chain.cell(`${this.table}:${id}`);
  }

  next(random: SeededRandom, current: Current): PlannedWrite {
    const next = this.#next;
    if (next === null) return this.#put([this.#top + LEAP], 'INSERT');
    const kind = random.below(10);
    const id = Math.max(1, this.#top - random.below(BEHIND));
    const isThere = current(this.cell(id)) !== null;
    if (kind < 5) return this.#make(next, random);
    if (kind < 7 && isThere) return this.#remove(id);
    if (!isThere) return this.#put([id], random.pick(['INSERT', 'INSERT IGNORE', 'REPLACE']));
    return kind < 9 ? this.#put([id], 'REPLACE') : this.#upsert(id);
  }

  /** The answer has come. @throws Error where the server has made another key than it was to */
  told(okPayload: Buffer | null): void {
    const expected = this.#expected;
    this.#expected = null;
    if (expected === null || okPayload === null) return;
    const { first, next } = expected;
    const told = Number(decodeOk(okPayload, CAPABILITIES).lastInsertId);
    // Another statement has followed in the same answer.
    if (first !== null && told === 0) return;
    if (first !== null && told !== first) throw new Error(`${this.table}: key ${told} instead of ${first}`);
    this.#next = next;
  }

  /** By the server: a statement of one row, or of several. */
  #make(next: number, random: SeededRandom): PlannedWrite {
    const stamps = Array.from({ length: random.below(4) === 0 ? 2 : 1 }, () => this.#chain.nextStamp());
    const isLeftOut = random.below(4) > 0;
    const rows = stamps.map(() => (isLeftOut ? '(?)' : '(?, ?)')).join(', ');
    const sql = `INSERT INTO ${this.table} ${isLeftOut ? '(n)' : '(n, id)'} VALUES ${rows}`;
    const ids = stamps.map((_, n) => next + n);
    const parameters = isLeftOut ? stamps : stamps.flatMap((stamp) => [stamp, 0]);
    const changes = ids.map((id, n) => this.#change(id, stamps[n]!));
    return this.#plan(sql, parameters, changes, ids.at(-1)!, next);
  }

  #put(ids: readonly number[], verb: string): PlannedWrite {
    const stamp = this.#chain.nextStamp();
    const sql = `${verb} INTO ${this.table} (id, n) VALUES ${ids.map(() => '(?, ?)').join(', ')}`;
    const changes = ids.map((id) => this.#change(id, stamp));
    return this.#plan(
      sql,
      ids.flatMap((id) => [id, stamp]),
      changes,
      Math.max(...ids),
      null,
    );
  }

  #upsert(id: number): PlannedWrite {
    const stamp = this.#chain.nextStamp();
    const sql = `INSERT INTO ${this.table} (id, n) VALUES (?, ?) ON DUPLICATE KEY UPDATE n = VALUES(n)`;
    return this.#plan(sql, [id, stamp], [this.#change(id, stamp)], id, null);
  }

  #remove(id: number): PlannedWrite {
    const change = { ...this.#change(id, this.#chain.nextStamp()), absent: true };
    return this.#plan(`DELETE FROM ${this.table} WHERE id = ?`, [id], [change], id, null);
  }

  #change(id: number, stamp: number): Change {
    return { cell: this.cell(id), stamp, absent: false };
  }

  #plan(
    sql: string,
    parameters: readonly number[],
    changes: readonly Change[],
    last: number,
    first: number | null,
  ): PlannedWrite {
    this.#top = Math.max(this.#top, last);
    this.#expected = { first, next: Math.max(this.#next ?? 0, last + 1) };
    this.#next = null;
    return { sql, parameters, changes, isImmediate: false, made: this };
  }
}
