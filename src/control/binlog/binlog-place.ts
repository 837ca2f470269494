/** Where something stands in a server's binlogs: files are numbered behind their last dot. */

export interface BinlogPlace {
  readonly file: number;
  /** Up to 2^53. */
  readonly offset: number;
}

/** null for a name without a number, or an offset that is none. */
export function parsePlace(
  file: string | null | undefined,
  offset: string | null | undefined,
): BinlogPlace | null {
  const number = fileNumber(file ?? '');
  if (number === null || !/^\d{1,15}$/.test(offset ?? '')) return null;
  return { file: number, offset: Number(offset) };
}

export function fileNumber(name: string): number | null {
  const digits = /\.(\d{1,9})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function isBehind(place: BinlogPlace, other: BinlogPlace): boolean {
  return place.file < other.file || (place.file === other.file && place.offset < other.offset);
}

export function formatPlace({ file, offset }: BinlogPlace): string {
  return `${file}:${offset}`;
}

const WRAP = 2 ** 32;

/**
 * How far a stream of events has come. Headers of events have 32 bits of the offset, and a file that holds one long
 * transaction may be longer: what goes back has gone over the end.
 */
export class StreamPlace implements BinlogPlace {
  #file = 0;
  #offset = 0;

  get file(): number {
    return this.#file;
  }

  get offset(): number {
    return this.#offset;
  }

  /** As it is now. */
  get place(): BinlogPlace {
    return { file: this.#file, offset: this.#offset };
  }

  /** Nothing has told yet where the stream is. */
  get isKnown(): boolean {
    return this.#file !== 0;
  }

  reset(): void {
    this.#file = 0;
    this.#offset = 0;
  }

  /** A file begins, or goes on, here. */
  rotate(file: number, offset: number): void {
    if (file === this.#file && offset <= this.#offset) return;
    this.#file = file;
    this.#offset = offset;
  }

  /** @param nextPosition of an event's header; 0 says nothing. */
  advance(nextPosition: number): void {
    if (nextPosition === 0) return;
    const high = this.#offset < WRAP ? 0 : this.#offset - (this.#offset % WRAP);
    const offset = high + nextPosition;
    // An event that was seen before the connection broke is no end of four gigabytes.
    if (offset >= this.#offset) this.#offset = offset;
    else if (this.#offset - offset > WRAP / 2) this.#offset = offset + WRAP;
  }

  hasReached({ file, offset }: BinlogPlace): boolean {
    return this.isKnown && (this.#file > file || (this.#file === file && this.#offset >= offset));
  }
}
