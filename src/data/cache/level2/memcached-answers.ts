/**
 * Cuts what memcached says in its text protocol (doc/protocol.txt of memcached) into answers. Bytes that are no answer, or
 * longer than one may be, end the connection: nobody can tell what comes behind them.
 */

export interface MemcachedValue {
  readonly key: string;
  readonly bytes: Buffer;
  /** Of `gets`: another one when somebody has changed it; '' without. */
  readonly version: string;
}

export interface MemcachedAnswer {
  /** The line that ends it: `END`, `STORED`, `NOT_STORED`, `SERVER_ERROR …`. */
  readonly line: string;
  /** In front of `END`. */
  readonly values: readonly MemcachedValue[];
}

const MAX_LINE_BYTES = 2048;
/** Nobody asks for so many at once. */
const MAX_VALUES = 128;
const VALUE = /^VALUE ([!-~]{1,250}) \d{1,10} (\d{1,10})(?: (\d{1,20}))?$/;
const LAST_LINE =
  /^(?:END|STORED|NOT_STORED|EXISTS|NOT_FOUND|TOUCHED|DELETED|ERROR|CLIENT_ERROR .*|SERVER_ERROR .*)$/;
const NEWLINE = 0x0a;

export class MemcachedAnswers {
  readonly #maxValueBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** With fewer there is nothing new to be seen. */
  #wanted = 1;
  #values: MemcachedValue[] = [];

  constructor(maxValueBytes: number) {
    this.#maxValueBytes = maxValueBytes;
  }

  /** @returns those that are whole by now. @throws Error for what is no answer. */
  push(chunk: Buffer): MemcachedAnswer[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return [];
    const buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const answers: MemcachedAnswer[] = [];
    const end = this.#read(buffer, answers);
    const rest = buffer.subarray(end);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return answers;
  }

  /** @returns up to where it is read. */
  #read(buffer: Buffer, answers: MemcachedAnswer[]): number {
    let at = 0;
    this.#wanted = 1;
    for (;;) {
      const newline = buffer.indexOf(NEWLINE, at);
      if (newline < 0 || newline - at > MAX_LINE_BYTES) {
        if (newline >= 0 || buffer.length - at > MAX_LINE_BYTES) throw new Error('a line has no end');
        this.#wanted = buffer.length - at + 1;
        return at;
      }
      const line = buffer.toString('latin1', at, newline).replace(/\r$/, '');
      const value = VALUE.exec(line);
      if (value === null) {
        if (!LAST_LINE.test(line)) throw new Error('a line is no answer');
        answers.push({ line, values: this.#values });
        this.#values = [];
        at = newline + 1;
        continue;
      }
      const length = Number(value[2]);
      const from = newline + 1;
      if (length > this.#maxValueBytes) throw new Error(`a value has ${length} bytes`);
      if (this.#values.length >= MAX_VALUES) throw new Error('there are more values than were asked for');
      if (buffer.length < from + length + 2) {
        this.#wanted = from + length + 2 - at;
        return at;
      }
      if (buffer.toString('latin1', from + length, from + length + 2) !== '\r\n')
        throw new Error('a value is longer than it says');
      const bytes = buffer.subarray(from, from + length);
      this.#values.push({ key: value[1]!, bytes, version: value[3] ?? '' });
      at = from + length + 2;
    }
  }
}
