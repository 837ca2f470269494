import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import type { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Between two statements: there are many while a case runs, and processors left for the case. */
const PAUSE_MS = 2;

/** A well-behaved client that works all the time, while others misbehave: it must see no error and no wrong answer. */
export class Bystander {
  readonly errors: string[] = [];
  answers = 0;
  readonly #connection: Connection;
  readonly #done: Promise<void>;
  #stopped = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('error', (error) => this.errors.push(`connection: ${error.message}`));
    this.#done = this.#work();
  }

  static async start(sluice: SluiceProcess): Promise<Bystander> {
    return new Bystander(await sluice.connect());
  }

  /** Waits until it has had so many more answers, and gives what has gone wrong since the start. */
  async errorsAfter(answers = 5): Promise<readonly string[]> {
    const wanted = this.answers + answers;
    await waitUntil('the bystander has its answers', () => this.answers >= wanted || this.errors.length > 0);
    return this.errors;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    await this.#connection.end().catch(() => this.#connection.destroy());
  }

  async #work(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      try {
        const [rows] = await this.#connection.query<RowDataPacket[]>(
          `SELECT ${number} AS n, REPEAT('x', 100) AS x`,
        );
        const row = rows[0];
        if (rows.length !== 1 || row?.n !== number || row?.x !== 'x'.repeat(100)) {
          this.errors.push(`asked for ${number}, got ${JSON.stringify(rows)}`);
        }
        this.answers++;
      } catch (error) {
        this.errors.push((error as Error).message);
        return;
      }
      await delay(PAUSE_MS);
    }
  }
}

/** A test at whose end Sluice still runs, and the bystander has seen no error. */
export function undisturbedTest(
  subject: () => { readonly sluice: SluiceProcess; readonly bystander: Bystander },
): (name: string, body: (t: Test) => Promise<void>) => void {
  return (name, body) => {
    t.test(name, async (t) => {
      await body(t);
      const { sluice, bystander } = subject();
      t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
      t.equal(sluice.exit, null, 'Sluice still runs');
    });
  };
}
