/** Puts the packets of an answer together: text and binary rows, with and without CLIENT_DEPRECATE_EOF, several results. */

const ERR = 0xff;
const EOF = 0xfe;
const LOCAL_INFILE = 0xfb;
const NULL_TEXT = 0xfb;
const MORE_RESULTS = 0x0008;
const MAX_EOF_BYTES = 9;

export type Value = string | null;

export interface Answer {
  /** Of the last result set with columns; empty if there was none. */
  readonly rows: readonly (readonly Value[])[];
  /** Of the last OK; empty if there is none, or no tracking was asked for. */
  readonly okPayload: Buffer | null;
}

/** What the server says; the session goes on. */
export class ServerError extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(`${errno}: ${message}`);
    this.errno = errno;
  }
}

/** What the connection has to do next: `wants-file`: a LOCAL file was asked for. */
export type Step = 'more' | 'done' | 'wants-file';

type Phase = 'first' | 'columns' | 'eof-behind-columns' | 'rows';

export class AnswerReader {
  readonly #deprecatesEof: boolean;
  readonly #isBinary: boolean;
  #phase: Phase = 'first';
  #columns = 0;
  #types: number[] = [];
  #rows: Value[][] = [];
  #okPayload: Buffer | null = null;
  #error: ServerError | null = null;

  constructor(deprecatesEof: boolean, isBinary: boolean) {
    this.#deprecatesEof = deprecatesEof;
    this.#isBinary = isBinary;
  }

  /** @throws ServerError the one that the answer ended with */
  get answer(): Answer {
    if (this.#error !== null) throw this.#error;
    return { rows: this.#rows, okPayload: this.#okPayload };
  }

  /** @param payload a view; nothing of it is kept but copies */
  take(payload: Buffer): Step {
    if (payload[0] === ERR) {
      this.#error = new ServerError(payload.readUInt16LE(1), payload.toString('utf8', 9));
      return 'done';
    }
    switch (this.#phase) {
      case 'first':
        return this.#takeFirst(payload);
      case 'columns':
        this.#types.push(typeOf(payload));
        if (this.#types.length === this.#columns)
          this.#phase = this.#deprecatesEof ? 'rows' : 'eof-behind-columns';
        return 'more';
      case 'eof-behind-columns':
        this.#phase = 'rows';
        return 'more';
      case 'rows':
        return this.#takeRow(payload);
    }
  }

  #takeFirst(payload: Buffer): Step {
    if (payload[0] === LOCAL_INFILE) return 'wants-file';
    if (payload[0] === 0) return this.#end(Buffer.from(payload));
    this.#columns = payload[0]!;
    this.#types = [];
    this.#rows = [];
    this.#phase = 'columns';
    return 'more';
  }

  #takeRow(payload: Buffer): Step {
    const isEnd = payload[0] === EOF && (this.#deprecatesEof || payload.length < MAX_EOF_BYTES);
    if (isEnd) return this.#end(this.#deprecatesEof ? Buffer.from(payload) : null, payload);
    this.#rows.push(this.#isBinary ? binaryRow(payload, this.#types) : textRow(payload, this.#columns));
    return 'more';
  }

  #end(okPayload: Buffer | null, eof: Buffer | null = null): Step {
    if (okPayload !== null) this.#okPayload = okPayload;
    this.#phase = 'first';
    const status = okPayload === null ? eof!.readUInt16LE(3) : statusOfOk(okPayload);
    return (status & MORE_RESULTS) !== 0 ? 'more' : 'done';
  }
}

function statusOfOk(payload: Buffer): number {
  const behindRows = lenenc(payload, 1).end;
  return payload.readUInt16LE(lenenc(payload, behindRows).end);
}

/** The type byte of a column definition: behind six strings, the length of the rest, character set and length. */
function typeOf(payload: Buffer): number {
  let at = 0;
  for (let part = 0; part < 6; part++) {
    const { value, end } = lenenc(payload, at);
    at = end + value;
  }
  return payload[at + 1 + 2 + 4]!;
}

function textRow(payload: Buffer, columns: number): Value[] {
  const row: Value[] = [];
  for (let column = 0, at = 0; column < columns; column++) {
    if (payload[at] === NULL_TEXT) {
      row.push(null);
      at++;
      continue;
    }
    const { value, end } = lenenc(payload, at);
    row.push(payload.toString('utf8', end, end + value));
    at = end + value;
  }
  return row;
}

/** Bytes of an integer of each type that the tables and expressions of the run have. */
const INTEGER_BYTES: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 4, 8: 8, 9: 4, 13: 2 };

function binaryRow(payload: Buffer, types: readonly number[]): Value[] {
  let at = 1 + ((types.length + 9) >> 3);
  return types.map((type, column) => {
    const bit = column + 2;
    if (((payload[1 + (bit >> 3)]! >> (bit & 7)) & 1) === 1) return null;
    const bytes = INTEGER_BYTES[type];
    if (bytes !== undefined) {
      const value = bytes === 8 ? payload.readBigInt64LE(at) : payload.readIntLE(at, bytes);
      at += bytes;
      return String(value);
    }
    const { value, end } = lenenc(payload, at);
    at = end + value;
    return payload.toString('utf8', end, at);
  });
}

function lenenc(payload: Buffer, at: number): { readonly value: number; readonly end: number } {
  const first = payload[at]!;
  if (first < 0xfb) return { value: first, end: at + 1 };
  if (first === 0xfc) return { value: payload.readUInt16LE(at + 1), end: at + 3 };
  if (first === 0xfd) return { value: payload.readUIntLE(at + 1, 3), end: at + 4 };
  return { value: Number(payload.readBigUInt64LE(at + 1)), end: at + 9 };
}
