/**
 * MySQL's GTID sets, `uuid:1-5:7,uuid:9`, and since 8.3 tagged ones, `uuid:tag:1-5`.
 * https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html
 * Sequence numbers reach 2^63-1, hence bigint.
 */

import { GtidFormatError } from './gtid-format-error.ts';

/** Both ends belong to it. */
export interface GtidInterval {
  readonly first: bigint;
  readonly last: bigint;
}

export interface MysqlGtidSet {
  readonly dialect: 'mysql';
  /** Key `uuid` or `uuid:tag`; intervals ascending, neither touching nor overlapping, never empty. */
  readonly sources: ReadonlyMap<string, readonly GtidInterval[]>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d{1,19})(?:-(\d{1,19}))?$/;
const MAX_SEQUENCE = 2n ** 63n - 1n;

/** Sorts, and joins what overlaps or touches. */
function normalise(intervals: readonly GtidInterval[]): readonly GtidInterval[] {
  const sorted = [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: GtidInterval[] = [];
  for (const interval of sorted) {
    const previous = result.at(-1);
    if (previous !== undefined && interval.first <= previous.last + 1n) {
      if (interval.last > previous.last) result[result.length - 1] = { ...previous, last: interval.last };
    } else result.push(interval);
  }
  return result;
}

function setOf(sources: ReadonlyMap<string, readonly GtidInterval[]>): MysqlGtidSet {
  const normalised = new Map<string, readonly GtidInterval[]>();
  for (const key of [...sources.keys()].sort()) {
    const intervals = normalise(sources.get(key)!);
    if (intervals.length > 0) normalised.set(key, intervals);
  }
  return { dialect: 'mysql', sources: normalised };
}

function parseInterval(part: string, text: string): GtidInterval {
  const match = INTERVAL.exec(part);
  if (match === null) throw new GtidFormatError('mysql', text, `"${part}" is no interval`);
  const first = BigInt(match[1]!);
  const last = match[2] === undefined ? first : BigInt(match[2]);
  if (first < 1n || last < first || last > MAX_SEQUENCE) {
    throw new GtidFormatError('mysql', text, `"${part}" is out of range`);
  }
  return { first, last };
}

/** White space and line breaks (`@@gtid_executed` has them) are dropped. Throws GtidFormatError. */
export function parseMysqlGtidSet(text: string): MysqlGtidSet {
  const sources = new Map<string, GtidInterval[]>();
  for (const source of text.replace(/\s+/g, '').toLowerCase().split(',')) {
    // The server itself accepts empty elements, as in `uuid:1,,uuid:2` or a comma at the end.
    if (source === '') continue;
    const [uuid = '', ...parts] = source.split(':');
    if (!UUID.test(uuid)) throw new GtidFormatError('mysql', text, `"${uuid}" is no server UUID`);
    if (parts.length === 0 || TAG.test(parts.at(-1)!)) {
      throw new GtidFormatError('mysql', text, `"${uuid}" ends without an interval`);
    }
    let key = uuid;
    for (const part of parts) {
      if (TAG.test(part)) {
        key = `${uuid}:${part}`;
        continue;
      }
      const list = sources.get(key);
      if (list === undefined) sources.set(key, [parseInterval(part, text)]);
      else list.push(parseInterval(part, text));
    }
  }
  return setOf(sources);
}

export function formatMysqlGtidSet(set: MysqlGtidSet): string {
  const parts: string[] = [];
  for (const [key, intervals] of set.sources) {
    const spans = intervals.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    parts.push(`${key}:${spans.join(':')}`);
  }
  return parts.join(',');
}

function intervalsContain(outer: readonly GtidInterval[], inner: readonly GtidInterval[]): boolean {
  let index = 0;
  for (const { first, last } of inner) {
    while (index < outer.length && outer[index]!.last < first) index++;
    const candidate = outer[index];
    if (candidate === undefined || candidate.first > first || candidate.last < last) return false;
  }
  return true;
}

export function mysqlGtidSetContains(outer: MysqlGtidSet, inner: MysqlGtidSet): boolean {
  for (const [key, intervals] of inner.sources) {
    const own = outer.sources.get(key);
    if (own === undefined || !intervalsContain(own, intervals)) return false;
  }
  return true;
}

function subtractIntervals(from: readonly GtidInterval[], what: readonly GtidInterval[]): GtidInterval[] {
  const result: GtidInterval[] = [];
  for (const interval of from) {
    let first = interval.first;
    for (const hole of what) {
      if (hole.last < first) continue;
      if (hole.first > interval.last) break;
      if (hole.first > first) result.push({ first, last: hole.first - 1n });
      first = hole.last + 1n;
    }
    if (first <= interval.last) result.push({ first, last: interval.last });
  }
  return result;
}

/** The transactions of `from` that `what` does not have. */
export function subtractMysqlGtidSet(from: MysqlGtidSet, what: MysqlGtidSet): MysqlGtidSet {
  const sources = new Map<string, readonly GtidInterval[]>();
  for (const [key, intervals] of from.sources) {
    sources.set(key, subtractIntervals(intervals, what.sources.get(key) ?? []));
  }
  return setOf(sources);
}

export function uniteMysqlGtidSets(a: MysqlGtidSet, b: MysqlGtidSet): MysqlGtidSet {
  const sources = new Map<string, readonly GtidInterval[]>(a.sources);
  for (const [key, intervals] of b.sources) sources.set(key, [...(sources.get(key) ?? []), ...intervals]);
  return setOf(sources);
}
