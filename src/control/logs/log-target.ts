/** Where the lines of one kind go: a file of their own, or the log, there whatever its level is. */

import type { RootLogger } from '../../common/logger.ts';
import { LineFile } from './line-file.ts';

export class LogTarget {
  readonly #setting: string;
  readonly #logger: RootLogger;
  #file: LineFile | null = null;

  /** @param setting that names the file. */
  constructor(setting: string, logger: RootLogger) {
    this.#setting = setting;
    this.#logger = logger;
  }

  /**
   * Opens `path`, and goes on with the old one until the returned function is called.
   * @param path null: the log
   * @throws LogFileError
   */
  prepare(path: string | null): { commit(): void; abandon(): void } {
    const before = this.#file;
    if (path === (before?.path ?? null)) return { commit: () => undefined, abandon: () => undefined };
    const next = path === null ? null : new LineFile(this.#setting, path, this.#logger);
    return {
      commit: () => {
        this.#file = next;
        before?.close();
      },
      abandon: () => next?.close(),
    };
  }

  write(message: string, fields: Record<string, unknown>): void {
    if (this.#file === null) this.#logger.writeAlways({ level: 'info', message, fields });
    else this.#file.write(`${JSON.stringify({ time: new Date().toISOString(), msg: message, ...fields })}\n`);
  }

  reopen(): void {
    this.#file?.reopen();
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}
