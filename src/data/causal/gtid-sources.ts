/** GTIDs as servers write them, from and to positions: with the sources of the snapshot. */

import { type GtidSource, gtidPosition, sequenceOf, sourceIndexOf } from '../../common/gtid-position.ts';

/** There is a GTID, of a source that nobody knows, or it is not to be read. */
export const FOREIGN_GTID = -1;
export const NO_GTID = 0;

const MYSQL_GTID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d{1,19}(-\d{1,19})?)+$/;
const MARIADB_GTID = /^\d{1,10}-\d{1,10}-\d{1,20}$/;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** More digits may be more than a double holds. */
const SAFE_DIGITS = 15;

interface KnownSource {
  readonly source: GtidSource;
  readonly prefix: Buffer;
  /** Of its beginning. */
  readonly position: number;
  /** Sequence numbers need no bigint; -1 where the base itself does. */
  readonly base: number;
}

export class GtidSources {
  #list: readonly GtidSource[] = [];
  /** The current one first. */
  #known: readonly KnownSource[] = [];

  /** @param list of the snapshot, the current one at the end. */
  update(list: readonly GtidSource[]): void {
    this.#list = list;
    const withGtids = list.filter(({ prefix }) => prefix !== '');
    this.#known = withGtids.toReversed().map((source) => ({
      source,
      prefix: Buffer.from(source.prefix, 'latin1'),
      position: gtidPosition(source, source.base),
      base: source.base <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(source.base) : -1,
    }));
  }

  /** The primary of now; null where it makes no GTIDs, or has not been asked yet. */
  get current(): GtidSource | null {
    return this.#list.at(-1) ?? null;
  }

  /** Whether commits on the primary are reported with their GTIDs. */
  get areReported(): boolean {
    return (this.current?.prefix ?? '') !== '';
  }

  /** Of which dialect the numbers are. */
  get isMariadb(): boolean {
    return this.current?.prefix.endsWith('-') === true;
  }

  of(position: number): GtidSource | null {
    const index = sourceIndexOf(position);
    return this.#list.find((source) => source.index === index) ?? null;
  }

  /**
   * The position of what a server reports of its own commits: `uuid:5`, `uuid:5-7`, `domain-server-5`. Of several numbers
   * the last one is the highest.
   */
  positionOf(bytes: Buffer, start: number, end: number): number {
    for (const known of this.#known) {
      const { prefix } = known;
      const from = start + prefix.length;
      if (from < end && startsWith(bytes, start, prefix)) return positionAt(known, bytes, from, end);
    }
    return FOREIGN_GTID;
  }

  /**
   * What a client names, in either dialect, several joined by commas. @returns `FOREIGN_GTID` where one is of a server that
   * has not been the primary here, null where one is no GTID.
   */
  positionNamed(text: string): number | null {
    let highest = NO_GTID;
    let isForeign = false;
    for (const one of text.split(',')) {
      const gtid = one.trim().toLowerCase();
      if (!MYSQL_GTID.test(gtid) && !MARIADB_GTID.test(gtid)) return null;
      const position = this.positionOf(Buffer.from(gtid, 'latin1'), 0, gtid.length);
      if (position === FOREIGN_GTID) isForeign = true;
      else highest = Math.max(highest, position);
    }
    return isForeign ? FOREIGN_GTID : highest;
  }

  /** As a client may hand it on; '' for none. */
  textOf(position: number): string {
    const source = position === NO_GTID ? null : this.of(position);
    return source === null || source.prefix === '' ? '' : `${source.prefix}${sequenceOf(source, position)}`;
  }
}

/** Whether `bytes` have `prefix` at `at`. For some bytes a loop costs less than to leave JavaScript. */
export function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

function positionAt(known: KnownSource, bytes: Buffer, start: number, end: number): number {
  const from = lastNumber(bytes, start, end);
  if (from < 0) return FOREIGN_GTID;
  const { source } = known;
  // One of an earlier time is rare; one of another time of that server would be taken for it.
  if (source.end !== null || end - from > SAFE_DIGITS || known.base < 0) {
    const number = BigInt(bytes.toString('latin1', from, end));
    return source.end !== null && number > source.end ? FOREIGN_GTID : gtidPosition(source, number);
  }
  let sequence = 0;
  for (let at = from; at < end; at++) sequence = sequence * 10 + bytes[at]! - ZERO;
  return known.position + Math.max(0, sequence - known.base);
}

/** Where the last of the numbers between `:` and `-` begins; -1 if there is anything else. */
function lastNumber(bytes: Buffer, start: number, end: number): number {
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === COLON || byte === MINUS) from = at + 1;
    else if (byte < ZERO || byte > NINE) return -1;
  }
  return from < end ? from : -1;
}
