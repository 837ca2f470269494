/**
 * The transactions that need not be sent any more: those from before the start, and those that have come. In the server's
 * own dialect, for the next connection; and as a sequence of one origin, for positions.
 */

import type { MysqlGtidIntervals } from '../../../protocol/index.ts';
import type { GtidInterval } from '../../topology/mysql-gtid-set.ts';
import { parseMysqlGtidSet } from '../../topology/mysql-gtid-set.ts';

/** As the stream names it; null: a transaction without a GTID. */
export interface StreamGtid {
  /** `uuid:`, on MariaDB `domain-server-`. */
  readonly prefix: string;
  readonly sequence: bigint;
}

export interface SeenGtids {
  /** @returns up to where it has everything of the origin with this prefix, as `GtidKeeper` counts. */
  add(gtid: StreamGtid): bigint;
  /** Likewise. */
  sequenceOf(prefix: string): bigint;
  /** For a later connection. */
  readonly text: string;
}

interface GrowingInterval {
  first: bigint;
  last: bigint;
}

/** Intervals of a source, ascending, that grow by one almost always. */
export class SeenMysqlGtids implements SeenGtids {
  readonly #sources = new Map<string, GrowingInterval[]>();
  /** Of whom the last one was, and the next one is almost always. */
  #prefix = '';
  #intervals: GrowingInterval[] = [];

  /** @throws GtidFormatError */
  constructor(executed: string) {
    for (const [source, intervals] of parseMysqlGtidSet(executed).sources)
      this.#sources.set(
        source,
        intervals.map(({ first, last }) => ({ first, last })),
      );
  }

  add({ prefix, sequence }: StreamGtid): bigint {
    if (prefix !== this.#prefix) {
      this.#intervals = this.#intervalsOf(prefix.slice(0, -1));
      this.#prefix = prefix;
    }
    const intervals = this.#intervals;
    const last = intervals.at(-1);
    if (last !== undefined && last.last + 1n === sequence) last.last = sequence;
    else insert(intervals, sequence);
    return wholeOf(intervals);
  }

  sequenceOf(prefix: string): bigint {
    return wholeOf(this.#sources.get(prefix.slice(0, -1)));
  }

  #intervalsOf(source: string): GrowingInterval[] {
    let intervals = this.#sources.get(source);
    if (intervals === undefined) {
      intervals = [];
      this.#sources.set(source, intervals);
    }
    return intervals;
  }

  get intervals(): MysqlGtidIntervals {
    return this.#sources;
  }

  get text(): string {
    const parts = [...this.#sources].map(
      ([source, intervals]) =>
        `${source}:${intervals.map(({ first, last }) => `${first}-${last}`).join(':')}`,
    );
    return parts.join(',');
  }
}

function wholeOf(intervals: readonly GrowingInterval[] | undefined): bigint {
  const first = intervals?.[0];
  return first?.first === 1n ? first.last : 0n;
}

/** Keeps the order, and joins what touches. */
function insert(intervals: GrowingInterval[], sequence: bigint): void {
  let at = intervals.length;
  while (at > 0 && intervals[at - 1]!.first > sequence) at--;
  const before = intervals[at - 1];
  if (before !== undefined && sequence <= before.last) return;
  const after = intervals[at];
  const touchesBefore = before !== undefined && before.last + 1n === sequence;
  const touchesAfter = after !== undefined && after.first === sequence + 1n;
  if (touchesBefore && touchesAfter) {
    before.last = after.last;
    intervals.splice(at, 1);
  } else if (touchesBefore) before.last = sequence;
  else if (touchesAfter) after.first = sequence;
  else intervals.splice(at, 0, { first: sequence, last: sequence });
}

export function intervalsHave(intervals: readonly GtidInterval[] | undefined, sequence: bigint): boolean {
  return intervals?.some(({ first, last }) => first <= sequence && sequence <= last) ?? false;
}

interface MariadbDomain {
  server: string;
  sequence: bigint;
}

/** Of each domain the last one; who wrote it is part of the name only. */
export class SeenMariadbGtids implements SeenGtids {
  readonly #domains = new Map<string, MariadbDomain>();
  /** Of whom the last one was, and the next one is almost always. */
  #prefix = '';
  #domain: MariadbDomain = { server: '', sequence: 0n };

  /** @param position `0-1-5,1-2-7`, as the server writes it. */
  constructor(position: string) {
    for (const part of position.split(',')) {
      const match = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(part);
      if (match !== null) this.#domains.set(match[1]!, { server: match[2]!, sequence: BigInt(match[3]!) });
    }
  }

  /** The last one counts, whatever its number: so does the server where domains are not strict. */
  add({ prefix, sequence }: StreamGtid): bigint {
    if (prefix !== this.#prefix) {
      this.#domain = this.#domainOf(prefix);
      this.#prefix = prefix;
    }
    this.#domain.sequence = sequence;
    return sequence;
  }

  sequenceOf(prefix: string): bigint {
    return this.#domains.get(prefix.slice(0, prefix.indexOf('-')))?.sequence ?? 0n;
  }

  #domainOf(prefix: string): MariadbDomain {
    const [name = '', server = ''] = prefix.split('-');
    const known = this.#domains.get(name);
    if (known !== undefined) {
      known.server = server;
      return known;
    }
    const domain = { server, sequence: 0n };
    this.#domains.set(name, domain);
    return domain;
  }

  get text(): string {
    return [...this.#domains]
      .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
      .join(',');
  }
}
