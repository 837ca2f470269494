/**
 * A file that lines are appended to. It is opened at once, so that a wrong path is an error of the configuration;
 * written without waiting, so that a slow disk holds nobody up; and opened again on request, after something else has
 * moved it away. What the disk does not take in time is dropped beyond a limit, and counted.
 */

import { accessSync, closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino } from 'pino';
import type { Logger } from '../../common/logger.ts';

/** Lines that wait for the disk. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** The owner writes, the group may read; nobody else. */
const MODE = 0o640;
/** A pipe that nobody reads would hold up the opening. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** Not only files: containers write their logs there. */
const STANDARD_OUTPUT = /^\/dev\/(?:std(?:out|err)|fd\/\d+)$/;

/** Names the setting and what is wrong with its file. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

function refusal(setting: string, path: string, error: unknown): LogFileError {
  const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  return new LogFileError(`${setting}: ${path} cannot be written (${reason})`);
}

/** @throws LogFileError */
function tryToOpen(setting: string, path: string): void {
  try {
    const descriptor = openSync(path, OPEN_FLAGS, MODE);
    const isFile = fstatSync(descriptor).isFile();
    closeSync(descriptor);
    if (!isFile && !STANDARD_OUTPUT.test(path)) throw new Error('it is no file');
  } catch (error) {
    throw refusal(setting, path, error);
  }
}

/**
 * Whether it could be written, without making it.
 * @throws LogFileError
 */
export function checkLogFile(setting: string, path: string | null): void {
  if (path === null) return;
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw refusal(setting, path, error);
  }
}

export class LineFile {
  readonly path: string;
  readonly #logger: Logger;
  readonly #output: ReturnType<typeof pino.destination>;
  #dropped = 0;
  #hasFailed = false;

  /** @throws LogFileError */
  constructor(setting: string, path: string, logger: Logger) {
    this.path = path;
    this.#logger = logger;
    tryToOpen(setting, path);
    this.#output = pino.destination({
      dest: path,
      append: true,
      sync: false,
      mode: MODE,
      maxLength: MAX_BUFFERED_BYTES,
    });
    this.#output.on('error', (error: Error) => this.#failed(error));
    this.#output.on('drop', () => {
      this.#dropped++;
    });
    this.#output.on('drain', () => this.#recovered());
  }

  write(line: string): void {
    this.#output.write(line);
  }

  /** Goes on in the file that has this path now. */
  reopen(): void {
    this.#output.reopen();
  }

  /** Everything is in the file before it is closed. */
  close(): void {
    try {
      this.#output.flushSync();
    } catch {
      // Not open yet, or the disk is full: it has been said already.
    }
    this.#output.end();
  }

  /** Once, however many lines fail. */
  #failed(error: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#logger.error('a log file cannot be written', { file: this.path, error });
  }

  #recovered(): void {
    if (!this.#hasFailed && this.#dropped === 0) return;
    this.#logger.warn('a log file is written again', { file: this.path, linesDropped: this.#dropped });
    this.#hasFailed = false;
    this.#dropped = 0;
  }
}
