/** Plays single steps of the tour: runs a statement, asks the servers' own logs who executed it, and shows both. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import { APP_SCHEMA } from '../support/replication-set.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Stage } from './stage.ts';

export interface Step {
  /** One statement, or the parts of a multi-statement packet. */
  readonly sql: string | readonly string[];
  readonly on: Connection;
  readonly expect: 'primary' | 'replica';
  /** Instead of `expect`, where only some of them are left. */
  readonly servers?: readonly string[];
  /** Said where the session's own state decides, which EXPLAIN ROUTE cannot know. */
  readonly because?: string;
  /** What the answer must be: the first column of its first row (of its last result). */
  readonly answer?: string;
}

interface Outcome {
  readonly servers: readonly string[];
  readonly answer: string | null;
}

export class Guide {
  readonly #stage: Stage;
  readonly #say: (text: string) => void;
  #steps = 0;
  #failures = 0;
  #statements = 0;
  #admin: Connection | null = null;

  constructor(stage: Stage, say: (text: string) => void) {
    this.#stage = stage;
    this.#say = say;
  }

  get steps(): number {
    return this.#steps;
  }

  get failures(): number {
    return this.#failures;
  }

  heading(text: string): void {
    this.#say(`\n${text}`);
  }

  async step(step: Step): Promise<void> {
    this.#steps++;
    const parts = typeof step.sql === 'string' ? [step.sql] : step.sql;
    const problems: string[] = [];
    let outcome: Outcome = { servers: [], answer: null };
    try {
      outcome = await this.#run(step.on, parts);
      problems.push(...this.#problemsOf(step, outcome));
    } catch (error) {
      problems.push(messageOf(error));
    }
    const why = step.because ?? (await this.#explain(parts.join('; '), step, problems));
    this.#show(parts.join('; '), outcome, why, problems);
  }

  /** Repeats a read until this server has answered it: state that the monitor has to notice first. */
  async untilAnsweredBy(sql: string, on: Connection, server: string, because: string): Promise<void> {
    this.#steps++;
    const problems: string[] = [];
    let outcome: Outcome = { servers: [], answer: null };
    try {
      outcome = await waitUntil(
        `${server} answers`,
        async () => {
          const seen = await this.#run(on, [sql]);
          return seen.servers.includes(server) && seen;
        },
        { timeoutMs: 30_000, intervalMs: 100 },
      );
    } catch (error) {
      problems.push(messageOf(error));
    }
    this.#show(sql, outcome, because, problems);
  }

  /** A statement on the admin port. */
  async order(sql: string, because: string, answer?: string): Promise<void> {
    this.#steps++;
    const problems: string[] = [];
    let value: string | null = null;
    try {
      const [result] = await (await this.#adminConnection()).query(sql);
      value = firstValue(result, false);
      if (answer !== undefined && value !== answer) problems.push(`the answer should be ${answer}`);
    } catch (error) {
      problems.push(messageOf(error));
    }
    this.#show(sql, { servers: ['the admin port'], answer: value }, because, problems);
  }

  async #adminConnection(): Promise<Connection> {
    this.#admin ??= await this.#stage.sluice.adminConnection({ database: APP_SCHEMA });
    return this.#admin;
  }

  async close(): Promise<void> {
    await this.#admin?.end().catch(() => {});
  }

  async #run(on: Connection, parts: readonly string[]): Promise<Outcome> {
    const marker = `demo ${++this.#statements}.`;
    const [result] = await on.query(parts.map((part) => `${part} /* ${marker} */`).join('; '));
    return {
      servers: await this.#stage.log.executedBy(marker),
      answer: firstValue(result, parts.length > 1),
    };
  }

  #problemsOf(step: Step, { servers, answer }: Outcome): string[] {
    const problems: string[] = [];
    const isWanted = (server: string) => step.servers?.includes(server) ?? server.startsWith(step.expect);
    const wanted = step.servers?.join(' or ') ?? step.expect;
    if (servers.length === 0) problems.push(`no server has it in its log, ${wanted} was expected`);
    if (!servers.every(isWanted)) problems.push(`${wanted} was expected`);
    if (step.answer !== undefined && answer !== step.answer)
      problems.push(`the answer should be ${step.answer}`);
    return problems;
  }

  /** The reason as EXPLAIN ROUTE on the admin port gives it; it must agree with what happened. */
  async #explain(sql: string, step: Step, problems: string[]): Promise<string> {
    try {
      const admin = await this.#adminConnection();
      const [rows] = await admin.query<RowDataPacket[]>(`EXPLAIN ROUTE ${sql}`);
      const trace = new Map(rows.map((row) => [String(row.step), String(row.value)]));
      const target = trace.get('target');
      const reason = trace.get('reason');
      if (target === undefined || reason === undefined) throw new Error('it names no target or no reason');
      if (target !== step.expect) problems.push(`EXPLAIN ROUTE names ${target} as the target`);
      // The class's reason also names what made it, e.g. the function; it is not always what decided.
      const detailed = trace.get('class_reason') ?? '';
      return detailed.startsWith(reason) ? detailed : reason;
    } catch (error) {
      problems.push(`EXPLAIN ROUTE: ${messageOf(error)}`);
      return '';
    }
  }

  #show(sql: string, { servers, answer }: Outcome, why: string, problems: readonly string[]): void {
    const who = [...new Set(servers)].join(' and ') || 'nobody';
    const shown = answer === null ? '' : ` = ${answer}`;
    this.#say(`  ${problems.length === 0 ? 'ok  ' : 'FAIL'} ${sql.replaceAll(/\s+/g, ' ')}`);
    this.#say(`       → ${who}${shown}${why === '' ? '' : `   (${why})`}`);
    for (const problem of problems) this.#say(`       ✗ ${problem}`);
    if (problems.length > 0) this.#failures++;
  }
}

function firstValue(result: unknown, isMulti: boolean): string | null {
  const last = isMulti && Array.isArray(result) ? result.at(-1) : result;
  const row: unknown = Array.isArray(last) ? last[0] : null;
  if (typeof row !== 'object' || row === null) return null;
  const [value] = Object.values(row);
  return value === null || value === undefined ? null : String(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
