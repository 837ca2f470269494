/**
 * Structured logging: a sentence, and fields beside it.
 *
 * The main thread owns the one output. A worker's logger posts its records to the main thread, which writes them:
 * lines of several threads never mix, and an output that nobody reads never stops the data plane. What writes is in
 * `pino-logger.ts`, which workers need not load.
 */
import { type LogFields, plainFields } from './log-fields.ts';

/** From the least important to the most. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** `silent` logs nothing. */
export type LogThreshold = LogLevel | 'silent';

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** To be asked before fields that cost something are collected. */
  isEnabled(level: LogLevel): boolean;
  /** A logger that adds these fields to every record. */
  child(fields: LogFields): Logger;
}

/** One record on its way from a worker to the main thread: plain data, secrets taken out already. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

type Sink = (record: LogRecord) => void;

function rank(level: LogThreshold): number {
  return level === 'silent' ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);
}

/** Writes what reaches the threshold to a sink; children share the threshold of their root. */
class SinkLogger implements Logger {
  readonly #sink: Sink;
  readonly #threshold: { rank: number };
  readonly #bound: LogFields;

  constructor(sink: Sink, threshold: { rank: number }, bound: LogFields) {
    this.#sink = sink;
    this.#threshold = threshold;
    this.#bound = bound;
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.isEnabled(level)) return;
    this.#sink({ level, message, fields: plainFields({ ...this.#bound, ...fields }) });
  }

  isEnabled(level: LogLevel): boolean {
    return rank(level) >= this.#threshold.rank;
  }

  trace(message: string, fields?: LogFields): void {
    this.#log('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  fatal(message: string, fields?: LogFields): void {
    this.#log('fatal', message, fields);
  }

  child(fields: LogFields): Logger {
    return new SinkLogger(this.#sink, this.#threshold, { ...this.#bound, ...fields });
  }
}

/** A logger whose threshold can be changed; its children follow. */
export class RootLogger extends SinkLogger {
  readonly #threshold: { rank: number };
  readonly #write: Sink;
  readonly #flush: () => void;
  readonly #marks: { fields: Record<string, unknown> | null };

  constructor(level: LogThreshold, write: Sink, flush: () => void) {
    const threshold = { rank: rank(level) };
    const marks: { fields: Record<string, unknown> | null } = { fields: null };
    const marked: Sink = (record) =>
      write(marks.fields === null ? record : { ...record, fields: { ...marks.fields, ...record.fields } });
    super(marked, threshold, {});
    this.#threshold = threshold;
    this.#marks = marks;
    this.#write = marked;
    this.#flush = flush;
  }

  setLevel(level: LogThreshold): void {
    this.#threshold.rank = rank(level);
  }

  /** Fields of all records from now on, of its children too; null for none. */
  mark(fields: LogFields | null): void {
    this.#marks.fields = fields === null ? null : plainFields(fields);
  }

  /** Writes a record that another thread has made; its fields are plain already. */
  writeRecord(record: LogRecord): void {
    if (this.isEnabled(record.level)) this.#write(record);
  }

  /** Writes what is no matter of levels, such as a line of the audit log; its fields are plain. */
  writeAlways(record: LogRecord): void {
    this.#write(record);
  }

  /** Puts everything out; to be called before the process exits. */
  flush(): void {
    this.#flush();
  }
}

/** The logger of a worker. @param post hands a record to the main thread, which calls `writeRecord` */
export function createWorkerLogger(level: LogThreshold, post: (record: LogRecord) => void): RootLogger {
  return new RootLogger(level, post, () => undefined);
}
