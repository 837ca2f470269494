/**
 * MariaDB's GTID positions, `0-1-5,1-2-7`: per replication domain the server that wrote the last transaction, and
 * its sequence number. Within a domain the sequence is one line, so a position has every transaction up to its own.
 * https://mariadb.com/kb/en/gtid/
 */

import { GtidFormatError } from './gtid-format-error.ts';

export interface MariadbGtid {
  readonly serverId: number;
  readonly sequence: bigint;
}

export interface MariadbGtidPosition {
  readonly dialect: 'mariadb';
  /** By replication domain, ascending. */
  readonly domains: ReadonlyMap<number, MariadbGtid>;
}

const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;
const MAX_UINT32 = 2 ** 32 - 1;
const MAX_UINT64 = 2n ** 64n - 1n;

function positionOf(domains: ReadonlyMap<number, MariadbGtid>): MariadbGtidPosition {
  return { dialect: 'mariadb', domains: new Map([...domains].sort(([a], [b]) => a - b)) };
}

/**
 * Of two entries for one domain the later counts, as in `@@gtid_binlog_state`, which lists every server that
 * wrote. Throws GtidFormatError.
 */
export function parseMariadbGtidPosition(text: string): MariadbGtidPosition {
  const domains = new Map<number, MariadbGtid>();
  const compact = text.replace(/\s+/g, '');
  if (compact === '') return positionOf(domains);
  for (const part of compact.split(',')) {
    const match = GTID.exec(part);
    if (match === null) throw new GtidFormatError('mariadb', text, `"${part}" is no domain-server-sequence`);
    const domain = Number(match[1]);
    const gtid = { serverId: Number(match[2]), sequence: BigInt(match[3]!) };
    if (domain > MAX_UINT32 || gtid.serverId > MAX_UINT32 || gtid.sequence > MAX_UINT64) {
      throw new GtidFormatError('mariadb', text, `"${part}" is out of range`);
    }
    const known = domains.get(domain);
    if (known === undefined || known.sequence < gtid.sequence) domains.set(domain, gtid);
  }
  return positionOf(domains);
}

export function formatMariadbGtidPosition(position: MariadbGtidPosition): string {
  const parts: string[] = [];
  for (const [domain, gtid] of position.domains) parts.push(`${domain}-${gtid.serverId}-${gtid.sequence}`);
  return parts.join(',');
}

export function mariadbGtidPositionContains(outer: MariadbGtidPosition, inner: MariadbGtidPosition): boolean {
  for (const [domain, gtid] of inner.domains) {
    const own = outer.domains.get(domain);
    if (own === undefined ? gtid.sequence > 0n : own.sequence < gtid.sequence) return false;
  }
  return true;
}

/** The domains in which `from` is ahead of `what`. */
export function subtractMariadbGtidPosition(
  from: MariadbGtidPosition,
  what: MariadbGtidPosition,
): MariadbGtidPosition {
  const domains = new Map<number, MariadbGtid>();
  for (const [domain, gtid] of from.domains) {
    const other = what.domains.get(domain);
    if (gtid.sequence > (other?.sequence ?? 0n)) domains.set(domain, gtid);
  }
  return positionOf(domains);
}

export function uniteMariadbGtidPositions(
  a: MariadbGtidPosition,
  b: MariadbGtidPosition,
): MariadbGtidPosition {
  const domains = new Map(a.domains);
  for (const [domain, gtid] of b.domains) {
    const known = domains.get(domain);
    if (known === undefined || known.sequence < gtid.sequence) domains.set(domain, gtid);
  }
  return positionOf(domains);
}
