/** The one output of the process: pino on standard output, in JSON or in lines for people. */
import { pino } from 'pino';
import type { prettyFactory } from 'pino-pretty';
import { isJournal, withPriority } from './journal.ts';
import { type LogThreshold, RootLogger } from './logger.ts';

/** Lines kept while nobody takes the output; more are dropped, memory stays bounded. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** What takes the lines; standard output by default. */
export interface LogOutput {
  write(line: string): void;
  flushSync(): void;
}

function standardOutput(): LogOutput {
  const output = pino.destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES });
  // A reader that has gone (EPIPE) must not end the proxy.
  output.on('error', () => undefined);
  const toJournal = isJournal(1, process.env.JOURNAL_STREAM);
  return {
    write: toJournal ? (line) => output.write(withPriority(line)) : (line) => output.write(line),
    flushSync: () => {
      try {
        output.flushSync();
      } catch {
        // Not open yet, or closed by its reader: there is nowhere to say so.
      }
    },
  };
}

function makePretty(output: LogOutput, factory: typeof prettyFactory): LogOutput {
  const toLines = factory({
    colorize: process.stdout.isTTY === true,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
  });
  return { write: (line) => output.write(toLines(line) ?? ''), flushSync: () => output.flushSync() };
}

export interface LoggerOptions {
  readonly level: LogThreshold;
  /** Lines for people instead of JSON; null: where standard output is a terminal. */
  readonly pretty: boolean | null;
  readonly output?: LogOutput;
}

/** The logger of the main thread. */
export async function createLogger({
  level,
  pretty,
  output = standardOutput(),
}: LoggerOptions): Promise<RootLogger> {
  const isPretty = pretty ?? process.stdout.isTTY === true;
  const target = isPretty ? makePretty(output, (await import('pino-pretty')).default.prettyFactory) : output;
  const writer = pino(
    {
      level: 'trace',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  );
  return new RootLogger(
    level,
    (record) => writer[record.level](record.fields, record.message),
    () => target.flushSync(),
  );
}
