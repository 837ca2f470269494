/**
 * What an old primary has that the new one has not, before it may replicate from it. Pure.
 *
 * MySQL: sets of GTIDs are subtracted. MariaDB: a position says how far a domain goes, not by which way; two servers
 * that wrote at the same time have the same sequence numbers for different transactions. But the binary log's state
 * names the last transaction of every server in every domain, and each server's own are one line: if the primary has a
 * server's last one, or a later one of it, it has them all. So the last of each domain, and what the server wrote itself,
 * are looked for there.
 */

import {
  formatGtidSet,
  gtidSetContains,
  isEmptyGtidSet,
  parseGtidSet,
  subtractGtidSet,
} from '../../../topology/gtid.ts';
import { ServerFlavor } from '../../../topology/server-description.ts';
import type { ServerState } from '../servers/server-state.ts';

export interface Divergence {
  /** GTIDs that only the server has, in its dialect; '' for none. */
  readonly extra: string;
  /** MySQL: what the server lacks and the primary has in no binary log any more; '' for none. */
  readonly purged: string;
}

/** Sequence of the last transaction, by `domain-server`. */
function lastOfEach(state: string): ReadonlyMap<string, bigint> {
  const last = new Map<string, bigint>();
  for (const part of state.split(',')) {
    const match = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(part);
    if (match === null) continue;
    const key = `${match[1]}-${match[2]}`;
    const sequence = BigInt(match[3]!);
    if ((last.get(key) ?? 0n) < sequence) last.set(key, sequence);
  }
  return last;
}

function mariadbDivergence(server: ServerState, primary: ServerState): Divergence {
  const known = lastOfEach(`${primary.binlogState},${primary.executed}`);
  const wanted = new Map(lastOfEach(server.executed));
  for (const [key, sequence] of lastOfEach(server.binlogState)) {
    if (key.endsWith(`-${server.serverId}`)) wanted.set(key, sequence);
  }
  const extra: string[] = [];
  for (const [key, sequence] of wanted) {
    if ((known.get(key) ?? 0n) < sequence) extra.push(`${key}-${sequence}`);
  }
  return { extra: extra.join(','), purged: '' };
}

function mysqlDivergence(server: ServerState, primary: ServerState): Divergence {
  const flavor = ServerFlavor.mysql;
  const own = parseGtidSet(server.executed, flavor);
  const theirs = parseGtidSet(primary.executed, flavor);
  const purged = parseGtidSet(primary.purged, flavor);
  const extra = subtractGtidSet(own, theirs);
  const gone = gtidSetContains(own, purged) ? '' : formatGtidSet(subtractGtidSet(purged, own));
  return { extra: isEmptyGtidSet(extra) ? '' : formatGtidSet(extra), purged: gone };
}

/** Both of one flavour; what a MySQL primary replicates to nobody (purged) counts as well. @throws GtidFormatError */
export function divergenceOf(server: ServerState, primary: ServerState): Divergence {
  return server.version.flavor === ServerFlavor.mariadb
    ? mariadbDivergence(server, primary)
    : mysqlDivergence(server, primary);
}
