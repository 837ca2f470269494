/** A session that reads what many read, again and again, on either protocol. */

import type { Cell } from '../model/cell.ts';
import type { Chain } from '../model/chain.ts';
import { makeRead, type Read } from './reads.ts';
import type { Session } from './session.ts';
import type { World } from './world.ts';

/** Reads that all sessions repeat; one is replaced now and then. */
export class HotReads {
  readonly #reads: Read[];
  readonly #world: World;

  constructor(world: World, size: number) {
    this.#world = world;
    this.#reads = Array.from({ length: size }, () => makeRead(world, world.random));
  }

  pick(): Read {
    const { random } = this.#world;
    const place = random.below(this.#reads.length);
    if (random.below(60) === 0) this.#reads[place] = makeRead(this.#world, random);
    return this.#reads[place]!;
  }

  /** One that tells of this row; any if none does. */
  pickFor(cell: Cell): Read {
    const { random } = this.#world;
    const reads = this.#reads.filter(({ cells }) => cells().includes(cell));
    return reads.length === 0 ? this.pick() : random.pick(reads);
  }
}

export interface ReaderOptions {
  /** How old what the chain has written may be. */
  readonly boundMs: (chain: Chain, gate: string) => number;
  /** There are several servers: see `ReadRecord`. */
  readonly onlyAcknowledged: boolean;
  /** Connections are reset in the middle of reads. */
  readonly breaks: boolean;
}

const MAX_BURST = 4;

export class Reader {
  readonly session: Session;
  readonly #hot: HotReads;
  readonly #options: ReaderOptions;

  constructor(session: Session, hot: HotReads, options: ReaderOptions) {
    this.session = session;
    this.#hot = hot;
    this.#options = options;
  }

  async step(): Promise<void> {
    const { random, world } = this.session;
    const { tokens } = world;
    if (tokens.length > 0 && random.below(20) === 0) return this.#readWithToken();
    const cell = random.below(3) === 0 ? undefined : world.attended(random);
    if (cell === undefined) return this.#readOften(this.#hot.pick());
    const read = this.#hot.pickFor(cell);
    // What a server shows now is what no cache may be behind of: asked at once, before the write is over.
    if (random.below(3) === 0) await this.look(read, false);
    await this.#readOften(read);
  }

  /** As it is cached, or past every cache. */
  look(read: Read, isCached: boolean): Promise<void> {
    return this.#read(isCached ? read : { ...read, sql: uncached(read.sql) }, false);
  }

  async #readOften(read: Read): Promise<void> {
    const { random } = this.session;
    const isPrepared = random.below(2) === 0;
    for (let n = 1 + random.below(MAX_BURST); n > 0; n--) await this.#read(read, isPrepared);
  }

  async #readWithToken(): Promise<void> {
    const { random, world } = this.session;
    const { chain, unit, gtid } = random.pick(world.tokens);
    const owner = world.owners.find((one) => one.chain === chain);
    if (owner === undefined) return;
    const read = this.#hot.pick();
    const hinted = { ...read, sql: `/* sluice:min_gtid=${gtid} */ ${read.sql}` };
    // Not prepared: each is another statement.
    await this.#read(hinted, false, { chain, unit });
  }

  async #read(read: Read, isPrepared: boolean, mustSee?: { chain: Chain; unit: number }): Promise<void> {
    const { session } = this;
    const { world, random, gate } = session;
    if (this.#options.breaks && random.below(1500) === 0)
      setTimeout(() => session.connection.destroy(), random.below(3));
    const startedAt = world.history.now();
    try {
      const { answer, operation } = await session.do(read, [], isPrepared);
      const observations = read.observe(answer.rows);
      operation.chains = [...new Set(observations.map(({ cell }) => cell.chain))];
      const boundMs = (chain: Chain): number => this.#options.boundMs(chain, gate.name);
      const { onlyAcknowledged } = this.#options;
      const record = { startedAt, endedAt: world.history.now(), observations, boundMs, onlyAcknowledged };
      world.history.read(mustSee === undefined ? record : { ...record, mustSee }, operation);
    } catch (error) {
      session.noteError(error);
    }
    await session.ensureConnected();
  }
}

function uncached(sql: string): string {
  return sql.replace(/^SELECT /, 'SELECT SQL_NO_CACHE ');
}
