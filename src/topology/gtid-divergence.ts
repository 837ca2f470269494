/**
 * What one server has written or replicated that another has not: what keeps an old primary from being its replica. Pure.
 *
 * MySQL names the server in each transaction, so that `gtid_executed` tells. MariaDB's positions cannot: both branches
 * of a split count on from the same number. Its `gtid_binlog_state` has the last number of each server in each domain,
 * and what a server wrote is in one line: so whoever has the last of it has all of it.
 */

import { formatGtidSet, isEmptyGtidSet, parseGtidSet, subtractGtidSet } from './gtid.ts';
import { GtidFormatError } from './gtid-format-error.ts';
import type { ServerFlavor } from './server-description.ts';

const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

/** By `domain-server`, the last sequence number. @throws GtidFormatError */
function parseBinlogState(text: string): Map<string, bigint> {
  const last = new Map<string, bigint>();
  for (const part of text.replace(/\s+/g, '').split(',')) {
    if (part === '') continue;
    const match = GTID.exec(part);
    if (match === null) throw new GtidFormatError('mariadb', text, `"${part}" is no domain-server-sequence`);
    const key = `${match[1]}-${match[2]}`;
    const sequence = BigInt(match[3]!);
    if (sequence > (last.get(key) ?? 0n)) last.set(key, sequence);
  }
  return last;
}

/**
 * Both as the servers say them: `gtid_executed` of MySQL, `gtid_binlog_state` of MariaDB.
 * @returns in the servers' words what `mine` has and `theirs` lacks (of MariaDB the last of each such line); empty where
 * there is nothing
 * @throws GtidFormatError
 */
export function divergingGtids(mine: string, theirs: string, flavor: ServerFlavor): string {
  if (flavor === 'mysql') {
    const more = subtractGtidSet(parseGtidSet(mine, flavor), parseGtidSet(theirs, flavor));
    return isEmptyGtidSet(more) ? '' : formatGtidSet(more);
  }
  const theirLast = parseBinlogState(theirs);
  const more: string[] = [];
  for (const [line, sequence] of parseBinlogState(mine)) {
    if (sequence > (theirLast.get(line) ?? 0n)) more.push(`${line}-${sequence}`);
  }
  return more.sort().join(',');
}
