/**
 * What was flushed at a server of the second level, as it lies there: a value of its own, which is read together with every
 * result. A result names the `base` and the `count` that were in force before it was read, and is good as long as nothing that
 * it is of was flushed since. Where there is no record, or one that something is wrong with, there is no result either.
 *
 * | bytes | meaning                                                                                                   |
 * |-------|-----------------------------------------------------------------------------------------------------------|
 * | 4     | `SLF1`                                                                                                    |
 * | 8     | the server's time without a loss (`SharedStore.incarnation`)                                                |
 * | 16    | base, at random: another one flushes everything                                                            |
 * | 4     | count of flushes of single things since                                                                    |
 * | 4     | floor: results with a lower count are flushed                                                              |
 * | 12 ·  | 8 bytes of what was flushed, 4 of the count then. The oldest go, and become the floor                      |
 * | 4     | CRC-32 of everything in front of it                                                                        |
 */

import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('SLF1', 'latin1');
export const INCARNATION_BYTES = 8;
export const BASE_BYTES = 16;
const BASE_AT = MAGIC.length + INCARNATION_BYTES;
const COUNT_AT = BASE_AT + BASE_BYTES;
const FLOOR_AT = COUNT_AT + 4;
const HEAD_BYTES = FLOOR_AT + 4;
const SUBJECT_BYTES = 8;
const ENTRY_BYTES = SUBJECT_BYTES + 4;
const CRC_BYTES = 4;
const MAX_ENTRIES = 128;
const MAX_COUNT = 2 ** 32 - 1;

/** A table, or a digest: 8 bytes as hexadecimal digits. */
export type FlushSubject = string;

/** @param slot of its name (`table-slots.ts`): tables that share one are flushed together. */
export function tableSubject(slot: number): FlushSubject {
  return slot.toString(16).padStart(2 * SUBJECT_BYTES, '0');
}

/** @param name `0x` and 16 digits. One that looks like a table's flushes that one as well. */
export function digestSubject(name: string): FlushSubject {
  return name
    .slice(2)
    .toLowerCase()
    .padStart(2 * SUBJECT_BYTES, '0');
}

/** What of the record stands in a result. */
export interface FlushMark {
  readonly base: Buffer;
  readonly count: number;
}

export class FlushRecord implements FlushMark {
  readonly incarnation: Buffer;
  readonly base: Buffer;
  readonly count: number;
  readonly #floor: number;
  /** In the order of their counts. */
  readonly #flushed: ReadonlyMap<FlushSubject, number>;

  private constructor(
    incarnation: Buffer,
    base: Buffer,
    count = 0,
    floor = 0,
    flushed: ReadonlyMap<FlushSubject, number> = new Map(),
  ) {
    this.incarnation = incarnation;
    this.base = base;
    this.count = count;
    this.#floor = floor;
    this.#flushed = flushed;
  }

  /** Nothing that was there before is good any more. */
  static anew(incarnation: Buffer): FlushRecord {
    return new FlushRecord(incarnation, randomBytes(BASE_BYTES));
  }

  /** @returns null for what is none. */
  static decode(bytes: Buffer): FlushRecord | null {
    const crcAt = bytes.length - CRC_BYTES;
    const isWhole = crcAt >= HEAD_BYTES && (crcAt - HEAD_BYTES) % ENTRY_BYTES === 0;
    if (!isWhole || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
    if (crc32(bytes.subarray(0, crcAt)) !== bytes.readUInt32LE(crcAt)) return null;
    const flushed = new Map<FlushSubject, number>();
    for (let at = HEAD_BYTES; at < crcAt; at += ENTRY_BYTES)
      flushed.set(bytes.toString('hex', at, at + SUBJECT_BYTES), bytes.readUInt32LE(at + SUBJECT_BYTES));
    const incarnation = Buffer.from(bytes.subarray(MAGIC.length, BASE_AT));
    const base = Buffer.from(bytes.subarray(BASE_AT, COUNT_AT));
    return new FlushRecord(
      incarnation,
      base,
      bytes.readUInt32LE(COUNT_AT),
      bytes.readUInt32LE(FLOOR_AT),
      flushed,
    );
  }

  encode(): Buffer {
    const crcAt = HEAD_BYTES + this.#flushed.size * ENTRY_BYTES;
    const bytes = Buffer.alloc(crcAt + CRC_BYTES);
    MAGIC.copy(bytes);
    this.incarnation.copy(bytes, MAGIC.length);
    this.base.copy(bytes, BASE_AT);
    bytes.writeUInt32LE(this.count, COUNT_AT);
    bytes.writeUInt32LE(this.#floor, FLOOR_AT);
    let at = HEAD_BYTES;
    for (const [subject, count] of this.#flushed) {
      bytes.write(subject, at, 'hex');
      bytes.writeUInt32LE(count, at + SUBJECT_BYTES);
      at += ENTRY_BYTES;
    }
    bytes.writeUInt32LE(crc32(bytes.subarray(0, crcAt)), crcAt);
    return bytes;
  }

  /** What is of these subjects, and was there before, is not good any more. */
  flushing(subjects: Iterable<FlushSubject>): FlushRecord {
    if (this.count === MAX_COUNT) return FlushRecord.anew(this.incarnation);
    const count = this.count + 1;
    const flushed = new Map(this.#flushed);
    for (const subject of subjects) {
      flushed.delete(subject);
      flushed.set(subject, count);
    }
    let floor = this.#floor;
    for (const [subject, then] of flushed) {
      if (flushed.size <= MAX_ENTRIES) break;
      flushed.delete(subject);
      floor = Math.max(floor, then);
    }
    return new FlushRecord(this.incarnation, this.base, count, floor, flushed);
  }

  /** Who shows the other one behind this has lost something. */
  isAfter({ base, count }: FlushMark): boolean {
    return this.base.equals(base) && this.count > count;
  }

  /** Whether what was read under the mark is good still. @param digest asked for only if it matters. */
  allows({ base, count }: FlushMark, slots: Int32Array, digest: () => string): boolean {
    if (!this.base.equals(base) || count > this.count || count < this.#floor) return false;
    if (this.#flushed.size === 0) return true;
    for (let i = 0; i < slots.length; i++) if (this.#countOf(tableSubject(slots[i]!)) > count) return false;
    return this.#countOf(digestSubject(digest())) <= count;
  }

  #countOf(subject: FlushSubject): number {
    return this.#flushed.get(subject) ?? 0;
  }
}
