/** Who writes which rows, and what is read at present. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Cell } from '../model/cell.ts';
import { Chain, type Change } from '../model/chain.ts';
import { History } from '../model/history.ts';
import { MadeKeys } from './made-keys.ts';
import { GROUP_SIZE, ROWS_PER_CHAIN } from './schema.ts';
import type { Session } from './session.ts';

/** A chain with its place in the tables. */
export interface Owner {
  readonly number: number;
  readonly chain: Chain;
  /** Its rows in each shared table. */
  readonly ids: readonly number[];
  readonly made: MadeKeys;
}

/** The GTID of an acknowledged unit, for a session that asks for it. */
export interface Token {
  readonly chain: Chain;
  readonly unit: number;
  readonly gtid: string;
}

/** Chains that have ended are read as well for a while: what became of their last unit is seen late. */
const ENDED_KEPT = 8;
const ATTENTION = 6;
/** Operations, of which the first ones are calm. */
const PHASE = 4000;
const CALM = 2600;

export class World {
  readonly history = new History();
  readonly random: SeededRandom;
  /** See `CheckerOptions`. */
  readonly pinned: number;
  /** Keys that one server would have made another one makes as well. */
  readonly makesKeys: boolean;
  /** The latest ones, of writers around Sluice or through another one. */
  readonly tokens: Token[] = [];
  readonly owners: Owner[] = [];
  readonly sessions: Session[] = [];
  /** What servers have refused, by its number. */
  readonly errors = new Map<number, { readonly count: number; readonly example: string }>();
  /** What was sent, or acknowledged, or given up, last: that is where a cache is wrong if it is. */
  readonly #attention: Cell[] = [];
  #made = 0;
  readonly #shared = new Map<number, Owner>();

  constructor(random: SeededRandom, pinned: number, makesKeys: boolean) {
    this.random = random;
    this.pinned = pinned;
    this.makesKeys = makesKeys;
  }

  /**
   * What changes everything at once (DDL, procedures) leaves the cache little to be wrong about: a good part of the time
   * nobody does that.
   */
  get isCalm(): boolean {
    return this.history.log.count % PHASE < CALM;
  }

  /** Its rows are not read before `open`. */
  makeOwner(gate: string): Owner {
    const number = ++this.#made;
    const chain = new Chain(`chain ${number} (${gate})`, gate);
    const ids = Array.from({ length: ROWS_PER_CHAIN }, (_, n) => number * ROWS_PER_CHAIN + n);
    return { number, chain, ids, made: new MadeKeys(number, chain) };
  }

  open(owner: Owner): void {
    for (const id of owner.ids) this.#shared.set(id, owner);
    this.owners.push(owner);
    const ended = this.owners.filter(({ chain }) => chain.ended);
    if (ended.length > ENDED_KEPT) this.owners.splice(this.owners.indexOf(ended[0]!), 1);
  }

  /** A row of a shared table; undefined when nobody has that id. */
  cell(table: string, id: number): Cell | undefined {
    return this.#shared.get(id)?.chain.cell(`${table}:${id}`);
  }

  /** All rows of a group that may be there. */
  group(table: string, group: number): Cell[] {
    const cells: Cell[] = [];
    for (let id = group * GROUP_SIZE; id < (group + 1) * GROUP_SIZE; id++) {
      const cell = this.cell(table, id);
      if (cell !== undefined) cells.push(cell);
    }
    return cells;
  }

  /** Every row of the table that somebody writes, or has written. */
  *cellsOf(table: string): Iterable<Cell> {
    for (const id of this.#shared.keys()) yield this.cell(table, id)!;
  }

  attend(changes: readonly Change[]): void {
    for (const { cell } of changes) this.#attention.push(cell);
    if (this.#attention.length > ATTENTION) this.#attention.splice(0, this.#attention.length - ATTENTION);
  }

  /** Undefined while nothing was written yet. */
  attended(random: SeededRandom): Cell | undefined {
    const cells = this.#attention;
    if (cells.length === 0) return undefined;
    return random.below(2) === 0 ? cells.at(-1) : random.pick(cells);
  }

  addToken(token: Token): void {
    this.tokens.push(token);
    if (this.tokens.length > 16) this.tokens.shift();
  }
}
