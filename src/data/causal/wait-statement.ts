/**
 * What a replica is asked, and its answer: 0 when it has come so far, and all that it has executed. Both functions are there
 * without any privilege, and both take fractions of a second.
 * https://dev.mysql.com/doc/refman/5.7/en/gtid-functions.html, https://mariadb.com/kb/en/master_gtid_wait/
 */

import type { GtidSource } from '../../common/gtid-position.ts';

/** In the order of the columns: what is executed is read when the wait is over. */
export function waitStatement({ flavor, prefix }: GtidSource, sequence: bigint, waitMs: number): string {
  const seconds = (waitMs / 1000).toFixed(3);
  return flavor === 'mariadb'
    ? `SELECT MASTER_GTID_WAIT('${prefix}${sequence}',${seconds}),@@GLOBAL.gtid_slave_pos`
    : `SELECT WAIT_FOR_EXECUTED_GTID_SET('${prefix}1-${sequence}',${seconds}),@@GLOBAL.gtid_executed`;
}

/**
 * Up to which sequence number of the source a server has everything, by its own words; null where they say nothing of it.
 * On MySQL there may be holes: what is behind the first one does not count.
 */
export function executedSequence({ flavor, prefix }: GtidSource, executed: string): bigint | null {
  if (flavor === 'mariadb') {
    const domain = prefix.slice(0, prefix.indexOf('-') + 1);
    const gtid = executed.split(',').find((one) => one.startsWith(domain));
    return numberOf(gtid?.split('-')[2]);
  }
  const start = executed.toLowerCase().indexOf(prefix);
  if (start < 0) return null;
  const first = /^1(?:-(\d+))?(?![\d-])/.exec(executed.slice(start + prefix.length));
  return first === null ? null : numberOf(first[1] ?? '1');
}

function numberOf(text: string | undefined): bigint | null {
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : null;
}
