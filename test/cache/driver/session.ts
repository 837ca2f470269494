/** What writers and readers have in common: a connection that may be lost, and a note of everything that is done on it. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Chain } from '../model/chain.ts';
import type { Operation } from '../model/operation-log.ts';
import { type Answer, ServerError } from './answer-reader.ts';
import { type CheckerConnection, ConnectionLost } from './checker-connection.ts';
import { type Gate, openAt } from './gate.ts';
import type { MadeKeys } from './made-keys.ts';
import { run, type Statement, textOf } from './statement.ts';
import type { World } from './world.ts';

const OPEN_EVERY_MS = 25;
/** While all workers have crashed nobody is let in; they come back slower and slower. */
const MAX_OPEN_ATTEMPTS = 800;
const SHOWN_ROWS = 12;

export interface Done {
  readonly answer: Answer;
  readonly operation: Operation;
}

export class Session {
  readonly name: string;
  readonly world: World;
  readonly gate: Gate;
  readonly random: SeededRandom;
  readonly #withGtids: boolean;
  #connection: CheckerConnection | null = null;
  /** Between two of its steps it is to connect again. */
  isToConnectAgain = false;
  /** Since when it waits for the answer to what is to make a write visible; null: it does not. */
  committingSince: number | null = null;

  constructor(name: string, world: World, gate: Gate, random: SeededRandom, withGtids = false) {
    this.name = name;
    this.world = world;
    this.gate = gate;
    this.random = random;
    this.#withGtids = withGtids;
    world.sessions.push(this);
  }

  get connection(): CheckerConnection {
    if (this.#connection === null) throw new Error(`${this.name} has no connection`);
    return this.#connection;
  }

  async connect(): Promise<void> {
    this.isToConnectAgain = false;
    this.#connection?.destroy();
    for (let attempt = 1; ; attempt++) {
      try {
        this.#connection = await openAt(this.gate, this.random.below(2) === 0, this.#withGtids);
        return;
      } catch (error) {
        if (attempt === MAX_OPEN_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, OPEN_EVERY_MS));
      }
    }
  }

  /** Between two steps. */
  async ensureConnected(): Promise<void> {
    if (this.isToConnectAgain || this.connection.isLost) await this.connect();
  }

  close(): void {
    this.#connection?.end();
  }

  async do(
    statement: Statement & { readonly file?: string; readonly made?: MadeKeys },
    chains: readonly Chain[],
    isPrepared = false,
  ): Promise<Done> {
    const { history } = this.world;
    const operation: Operation = {
      session: this.name,
      startedAt: history.now(),
      endedAt: Number.POSITIVE_INFINITY,
      sql: isPrepared ? `[prepared] ${textOf(statement)}` : textOf(statement),
      outcome: 'under way',
      chains,
    };
    history.log.add(operation);
    try {
      const { file } = statement;
      const answer =
        file === undefined
          ? await run(this.connection, statement, isPrepared)
          : await this.connection.query(statement.sql, file);
      statement.made?.told(answer.okPayload);
      operation.outcome = answer.rows.length > 0 ? shownRows(answer) : 'ok';
      return { answer, operation };
    } catch (error) {
      operation.outcome = (error as Error).message;
      throw error;
    } finally {
      operation.endedAt = history.now();
    }
  }

  text(sql: string, chains: readonly Chain[] = []): Promise<Done> {
    return this.do({ sql, parameters: [] }, chains);
  }

  /** Errors that are no answer of the server are the checker's own. */
  noteError(error: unknown): void {
    if (error instanceof ConnectionLost) return;
    if (!(error instanceof ServerError)) throw error;
    const { errors } = this.world;
    const known = errors.get(error.errno);
    errors.set(error.errno, { count: (known?.count ?? 0) + 1, example: known?.example ?? error.message });
  }
}

function shownRows({ rows }: Answer): string {
  const shown = rows.slice(0, SHOWN_ROWS).map((row) => `(${row.map((value) => value ?? 'NULL').join(', ')})`);
  return `${shown.join(' ')}${rows.length > SHOWN_ROWS ? ' …' : ''}`;
}
