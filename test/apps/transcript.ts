/** What a program on Node says, and how it waits for the replicas; see app-program.ts. */

import { createInterface } from 'node:readline';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Prints a step; dates, bytes and big numbers in a form of their own. */
export function say(step: string, result?: unknown): void {
  process.stdout.write(`${JSON.stringify({ step, result }, plain)}\n`);
}

export async function sync(): Promise<void> {
  process.stdout.write('{"sync":true}\n');
  await answers.next();
}

/** Runs what should fail, and gives the server's code and message. */
export async function failure(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { unexpected: await run() };
  } catch (error) {
    return describeError(error);
  }
}

interface DriverError extends Error {
  readonly errno?: number;
  readonly sqlState?: string;
  readonly parent?: DriverError;
  readonly driverError?: DriverError;
}

function describeError(error: unknown): unknown {
  const outer = error as DriverError;
  const inner = outer.parent ?? outer.driverError ?? outer;
  return { name: outer.name, errno: inner.errno, state: inner.sqlState, message: inner.message };
}

function plain(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Date) return `date ${original.toISOString()}`;
  if (Buffer.isBuffer(original)) return `bytes ${original.toString('hex')}`;
  if (typeof value === 'bigint') return `big ${value}`;
  return value;
}

export const connectionSettings = {
  host: process.env.APP_HOST ?? '',
  port: Number(process.env.APP_PORT),
  username: process.env.APP_USER ?? '',
  password: process.env.APP_PASSWORD ?? '',
  database: process.env.APP_SCHEMA ?? '',
};

export const EMOJI = 'Žluťoučký kůň 😀👩‍👩‍👧 中文 Ω \u0000 \' " \\ % _';
export const LONG_TEXT = 'Zeile – ligne — строка 行\n'.repeat(8000);
export const BYTES = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));

/** Numbers from 1 to `count`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
