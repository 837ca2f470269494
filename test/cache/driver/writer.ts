/**
 * A session that writes rows which nobody else writes, in every way that commits: so the order of its versions is known,
 * and when each became visible, within the time of its own statements.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { Change, Unit } from '../model/chain.ts';
import { ViolationKind } from '../model/check-read.ts';
import { type Answer, ServerError } from './answer-reader.ts';
import { ConnectionLost } from './checker-connection.ts';
import { CALM_ENDINGS, ENDINGS } from './endings.ts';
import { affectedRowsOf, gtidOf, openAt } from './gate.ts';
import { makePrivateWrite } from './private-writes.ts';
import { readOf } from './reads.ts';
import { privateTableStatements } from './schema.ts';
import type { Session } from './session.ts';
import { textOf } from './statement.ts';
import { OpenTransaction } from './transaction.ts';
import { type Watch, watchedWrite } from './watched-write.ts';
import type { Owner, World } from './world.ts';
import { type PlannedWrite, TRANSACTIONAL_TABLES, WriteGenerator } from './writes.ts';

export interface WriterOptions {
  /** Of each hundred steps, how many break a connection or a statement; all of them while it is not calm. */
  readonly disturbances: number;
  /** Behind every other step, at most. */
  readonly pauseMs: number;
  /** As root on the primary. */
  readonly asRoot: (sql: string) => Promise<readonly object[]>;
  /** GTIDs of its commits are for sessions that must see them. */
  readonly givesTokens: boolean;
  /** Up to this number they have their own tables. */
  readonly readyOwners: number;
}

/** Of what was refused with these, nothing has happened: deadlock, time-out, interrupted, duplicate key, no such table. */
const NOT_DONE = new Set([1205, 1213, 1317, 1062, 1146]);
const READ_BACK_TABLES = ['a', 'p', 'b', 'c', 'd', 'e', 'u'];

export class Writer {
  readonly session: Session;
  /** null: its writes are not looked at in particular. */
  watch: Watch | null = null;
  readonly #world: World;
  readonly #options: WriterOptions;
  #owner!: Owner;
  #generator!: WriteGenerator;
  #xid: string | null = null;

  constructor(session: Session, options: WriterOptions) {
    this.session = session;
    this.#world = session.world;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.session.connect();
    const owner = this.#world.makeOwner(this.session.gate.name);
    if (owner.number > this.#options.readyOwners)
      for (const sql of privateTableStatements(owner.number)) await this.session.text(sql);
    this.#owner = owner;
    this.#generator = new WriteGenerator(this.#world, this.session.random, owner);
    this.#world.open(owner);
  }

  async step(): Promise<void> {
    const { random } = this.session;
    try {
      if (this.#world.isCalm) await this.#calmly(random.below(100));
      else if (random.below(1000) < this.#options.disturbances * 20) await this.#disturbed();
      else {
        await this.#undisturbed(random.below(100));
        // Of a procedure nobody knows what it has left behind: the session would stay where it is for ever.
        const { connection } = this.session;
        if (!connection.isLost && !this.#options.givesTokens) await connection.reset();
      }
    } catch (error) {
      this.session.noteError(error);
      this.session.connection.destroy();
    }
    const { chain } = this.#owner;
    if (chain.isCut) chain.end();
    if (chain.ended) await this.#startOver();
    else await this.session.ensureConnected();
    if (this.#options.pauseMs > 0 && random.below(2) === 0) await delay(random.below(this.#options.pauseMs));
  }

  #calmly(kind: number): Promise<void> {
    if (kind < 50) return this.#writeAlone();
    return kind < 95 ? this.#transaction() : this.#slowWrite();
  }

  #undisturbed(kind: number): Promise<void> {
    if (kind < 50) return this.#writeAlone();
    if (kind < 77) return this.#transaction();
    if (kind < 80) return this.#xa();
    if (kind < 83) return this.#lockTables();
    if (kind < 85) return this.#setBoth();
    if (kind < 93) return this.#slowWrite();
    if (kind < 94) return this.#alterShared();
    return this.#privately();
  }

  #disturbed(): Promise<void> {
    return this.session.random.below(2) === 0 ? this.#lostWrite() : this.#killedQuery();
  }

  #plan(): PlannedWrite {
    return this.#generator.next((cell) => cell.last);
  }

  #writeAlone(): Promise<void> {
    const { random } = this.session;
    const plan = this.#plan();
    const write = (): Promise<void> => this.#write(plan);
    const isWatched = random.below(100) < this.#world.pinned;
    if (this.watch === null || plan.changes.length === 0 || !isWatched) return write();
    return watchedWrite(this.watch, readOf(random.pick(plan.changes).cell, random), write);
  }

  /** By itself: what it changes is visible when it is answered. */
  async #write(plan: PlannedWrite): Promise<void> {
    const isPrepared = plan.file === undefined && this.session.random.below(2) === 0;
    await this.#unit(
      plan.changes,
      async () => (await this.session.do(plan, [this.#owner.chain], isPrepared)).answer,
      !plan.isImmediate,
    );
  }

  /** @param allOrNothing an error says that nothing of it has happened, if it is one of those that say so */
  async #unit(changes: readonly Change[], send: () => Promise<Answer>, allOrNothing = true): Promise<void> {
    const { chain } = this.#owner;
    const { history } = this.#world;
    if (chain.isCut) throw new ConnectionLost('the primary has died');
    const unit = history.send(chain, changes);
    this.#world.attend(changes);
    this.session.committingSince = unit.sentAt;
    try {
      const answer = await send();
      history.acknowledged(chain, unit);
      this.#world.attend(changes);
      this.#giveToken(unit, answer);
    } catch (error) {
      const nothing = allOrNothing && error instanceof ServerError && NOT_DONE.has(error.errno);
      if (nothing) history.takenBack(chain, unit);
      else history.unknown(chain);
      this.#world.attend(changes);
      throw error;
    } finally {
      this.session.committingSince = null;
    }
  }

  #giveToken(unit: Unit, { okPayload }: Answer): void {
    const gtid = this.#options.givesTokens ? gtidOf(okPayload) : null;
    if (gtid !== null) this.#world.addToken({ chain: this.#owner.chain, unit: unit.index, gtid });
  }

  async #transaction(): Promise<void> {
    const { session } = this;
    const isByVariable = session.random.below(4) === 0;
    await session.text(
      isByVariable ? 'SET autocommit = 0' : session.random.pick(['BEGIN', 'START TRANSACTION']),
    );
    const open = new OpenTransaction();
    await this.#inside(open, async () => {
      const run = {
        session,
        commit: (sql: string) => this.#commit(open, sql),
        forget: () => this.#world.history.rolledBack(this.#owner.chain, [...open.changes, ...open.never]),
      };
      if (isByVariable && session.random.below(3) === 0) return run.commit('SET autocommit = 1');
      await session.random.pick(this.#world.isCalm ? CALM_ENDINGS : ENDINGS)(run);
      if (isByVariable && !session.connection.isLost) await session.text('SET autocommit = 1');
    });
  }

  async #commit(open: OpenTransaction, sql: string): Promise<void> {
    const { chain } = this.#owner;
    this.#world.history.rolledBack(chain, open.never);
    // A statement that commits implicitly has done so when it fails by itself.
    await this.#unit(open.changes, async () => (await this.session.text(sql, [chain])).answer, false);
  }

  /** Some statements, then the end; whatever fails before the end is rolled back with its connection. */
  async #inside(open: OpenTransaction, end: () => Promise<void>): Promise<void> {
    try {
      for (let n = 1 + this.session.random.below(4); n > 0; n--) await this.#insideStep(open);
    } catch (error) {
      this.#world.history.rolledBack(this.#owner.chain, [...open.changes, ...open.never]);
      this.session.connection.destroy();
      throw error;
    }
    await end();
  }

  async #insideStep(open: OpenTransaction): Promise<void> {
    const { random } = this.session;
    const kind = random.below(20);
    if (kind < 4) return this.#readBack(open);
    if (kind < 6 && this.#xid === null) {
      if (open.savepoints > 0 && random.below(2) === 0) {
        await this.session.text(`ROLLBACK TO SAVEPOINT s${open.savepoints}`);
        open.rollBackToSavepoint();
      } else {
        await this.session.text(`SAVEPOINT s${open.savepoints + 1}`);
        open.save();
      }
      return;
    }
    await this.#insideWrite(open);
  }

  async #insideWrite(open: OpenTransaction): Promise<void> {
    const { random, gate } = this.session;
    const { chain } = this.#owner;
    const current = (cell: Parameters<OpenTransaction['current']>[0]) => open.current(cell);
    // MySQL does not mix them while it checks GTIDs.
    const mixes = gate.flavor === ServerFlavor.mariadb && this.#xid === null;
    const plan = mixes ? this.#generator.next(current) : this.#generator.next(current, TRANSACTIONAL_TABLES);
    if (plan.isImmediate) return this.#write(plan);
    const isPrepared = plan.file === undefined && random.below(2) === 0;
    // Before it is sent: whatever fails is rolled back with all the rest.
    open.add(plan.changes);
    await this.session.do(plan, [chain], isPrepared);
  }

  async #readBack(open: OpenTransaction): Promise<void> {
    const { random } = this.session;
    const table = random.pick(READ_BACK_TABLES);
    const id = random.pick(this.#owner.ids);
    const cell = this.#world.cell(table, id)!;
    const statement = { sql: `SELECT id, n FROM ${table} WHERE id = ?`, parameters: [id] };
    const { answer, operation } = await this.session.do(
      statement,
      [this.#owner.chain],
      random.below(2) === 0,
    );
    const seen = answer.rows[0]?.[1] ?? null;
    const expected = open.current(cell);
    if ((seen === null ? null : Number(seen)) === expected) return;
    // Begun on the new primary, which may lack what was there before.
    if (this.#owner.chain.isCut) return;
    const message = `${cell.name} is ${expected} in its own transaction, which read ${seen}`;
    const violation = { kind: ViolationKind.ownWrite, message, chains: [this.#owner.chain] };
    this.#world.history.report(violation, operation, operation.startedAt);
  }

  async #xa(): Promise<void> {
    const { session } = this;
    this.#xid = `x${this.#owner.number}.${this.#owner.chain.nextStamp()}`;
    const xid = `'${this.#xid}'`;
    await session.text(`XA START ${xid}`);
    const open = new OpenTransaction();
    await this.#inside(open, async () => {
      await session.text(`XA END ${xid}`);
      const kind = session.random.below(3);
      if (kind === 0) await this.#commit(open, `XA COMMIT ${xid} ONE PHASE`);
      else {
        await session.text(`XA PREPARE ${xid}`);
        if (kind === 1) await this.#commit(open, `XA COMMIT ${xid}`);
        else {
          this.#world.history.rolledBack(this.#owner.chain, [...open.changes, ...open.never]);
          await session.text(`XA ROLLBACK ${xid}`);
        }
      }
    });
    this.#xid = null;
  }

  async #lockTables(): Promise<void> {
    const { session } = this;
    await session.text('LOCK TABLES p WRITE');
    await this.#write(this.#generator.nextOf('p', (cell) => cell.last));
    if (session.random.below(2) === 0) await this.#write(this.#generator.nextOf('p', (cell) => cell.last));
    await session.text('UNLOCK TABLES');
  }

  /** A procedure with a transaction of its own. */
  #setBoth(): Promise<void> {
    const id = this.session.random.pick(this.#owner.ids);
    const stamp = this.#owner.chain.nextStamp();
    const changes = ['a', 'p'].map((table) => ({ cell: this.#world.cell(table, id)!, stamp, absent: false }));
    const sql = `CALL set_both(${id}, ${Math.floor(id / 4)}, ${stamp})`;
    return this.#unit(changes, async () => (await this.session.text(sql, [this.#owner.chain])).answer, false);
  }

  /** Visible for a while before it is answered. */
  async #slowWrite(): Promise<void> {
    const plan = this.#plan();
    if (plan.file !== undefined) return this.#write(plan);
    const { chain } = this.#owner;
    const sql = `${textOf(plan)}; DO SLEEP(0.015)`;
    await this.#unit(plan.changes, async () => (await this.session.text(sql, [chain])).answer, false);
  }

  async #alterShared(): Promise<void> {
    const table = this.session.random.pick(['a', 'p', 'u', 'm']);
    await this.session.text(`ALTER TABLE ${table} COMMENT = '${this.#owner.chain.nextStamp()}'`);
  }

  async #privately(): Promise<void> {
    const { before, sql, changes } = makePrivateWrite(this.session.random, this.#owner);
    const { chain } = this.#owner;
    for (const statement of before) await this.session.text(statement);
    await this.#unit(changes, async () => (await this.session.text(sql, [chain])).answer);
  }

  /** The client goes while its write is under way. */
  async #lostWrite(): Promise<void> {
    const { random, connection } = this.session;
    const timer = setTimeout(() => connection.destroy(), random.below(4));
    try {
      await (random.below(2) === 0 ? this.#write(this.#plan()) : this.#transaction());
    } finally {
      clearTimeout(timer);
    }
  }

  /** Somebody interrupts a write that takes its time. */
  async #killedQuery(): Promise<void> {
    const { random, connection, gate } = this.session;
    const id = random.pick(this.#owner.ids);
    const cell = this.#world.cell('a', id)!;
    if (cell.last === null || this.#owner.chain.isCut) return;
    const stamp = this.#owner.chain.nextStamp();
    const killer = await openAt(gate, true);
    const kill = delay(random.below(8)).then(() => killer.query(`KILL QUERY ${connection.threadId}`));
    // It may have ended before.
    kill.catch(() => undefined);
    const { history } = this.#world;
    const { chain } = this.#owner;
    const changes = [{ cell, stamp, absent: false }];
    const unit = history.send(chain, changes);
    this.#world.attend(changes);
    try {
      const sql = `UPDATE a SET n = ${stamp} WHERE id = ${id} AND SLEEP(0.005) = 0`;
      const { answer } = await this.session.text(sql, [chain]);
      if (affectedRowsOf(answer.okPayload) === 1) history.acknowledged(chain, unit);
      else history.takenBack(chain, unit);
    } catch (error) {
      if (error instanceof ServerError && NOT_DONE.has(error.errno)) history.takenBack(chain, unit);
      else history.unknown(chain);
      if (!(error instanceof ServerError && error.errno === 1317)) throw error;
    } finally {
      await kill.catch(() => undefined);
      killer.end();
      // A KILL QUERY that comes late must not hit the next statement: one goes before it.
      await connection.query('DO 0').catch(() => undefined);
    }
  }

  /** Other rows: what became of the last unit of these nobody knows. */
  async #startOver(): Promise<void> {
    this.session.connection.destroy();
    const xid = this.#xid;
    this.#xid = null;
    // On a server that is not the primary any more it is nobody's concern.
    if (xid !== null) await this.#options.asRoot(`XA ROLLBACK '${xid}'`).catch(() => undefined);
    for (;;) {
      try {
        await this.start();
        return;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) this.session.noteError(error);
      }
    }
  }
}
