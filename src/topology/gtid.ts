/**
 * What a server has executed, in either dialect, behind one set of functions. Sets of different dialects cannot be
 * compared: that is a bug of the caller and throws a TypeError.
 */

import {
  formatMariadbGtidPosition,
  type MariadbGtidPosition,
  mariadbGtidPositionContains,
  parseMariadbGtidPosition,
  subtractMariadbGtidPosition,
  uniteMariadbGtidPositions,
} from './mariadb-gtid-position.ts';
import {
  formatMysqlGtidSet,
  type MysqlGtidSet,
  mysqlGtidSetContains,
  parseMysqlGtidSet,
  subtractMysqlGtidSet,
  uniteMysqlGtidSets,
} from './mysql-gtid-set.ts';
import type { ServerFlavor } from './server-description.ts';

export type GtidSet = MysqlGtidSet | MariadbGtidPosition;

function mixed(a: GtidSet, b: GtidSet): TypeError {
  return new TypeError(`a ${a.dialect} GTID set cannot be combined with a ${b.dialect} one`);
}

/** Throws GtidFormatError. An empty text is the empty set. */
export function parseGtidSet(text: string, flavor: ServerFlavor): GtidSet {
  return flavor === 'mariadb' ? parseMariadbGtidPosition(text) : parseMysqlGtidSet(text);
}

/** Canonical: sorted, joined, without white space. Parsing it gives the same set. */
export function formatGtidSet(set: GtidSet): string {
  return set.dialect === 'mariadb' ? formatMariadbGtidPosition(set) : formatMysqlGtidSet(set);
}

export function isEmptyGtidSet(set: GtidSet): boolean {
  return set.dialect === 'mariadb' ? set.domains.size === 0 : set.sources.size === 0;
}

/** True where `outer` has every transaction of `inner`. */
export function gtidSetContains(outer: GtidSet, inner: GtidSet): boolean {
  if (outer.dialect === 'mysql' && inner.dialect === 'mysql') return mysqlGtidSetContains(outer, inner);
  if (outer.dialect === 'mariadb' && inner.dialect === 'mariadb') {
    return mariadbGtidPositionContains(outer, inner);
  }
  throw mixed(outer, inner);
}

/** What `from` has and `what` lacks; of MariaDB the domains in which it is ahead. */
export function subtractGtidSet(from: GtidSet, what: GtidSet): GtidSet {
  if (from.dialect === 'mysql' && what.dialect === 'mysql') return subtractMysqlGtidSet(from, what);
  if (from.dialect === 'mariadb' && what.dialect === 'mariadb') {
    return subtractMariadbGtidPosition(from, what);
  }
  throw mixed(from, what);
}

export function uniteGtidSets(a: GtidSet, b: GtidSet): GtidSet {
  if (a.dialect === 'mysql' && b.dialect === 'mysql') return uniteMysqlGtidSets(a, b);
  if (a.dialect === 'mariadb' && b.dialect === 'mariadb') return uniteMariadbGtidPositions(a, b);
  throw mixed(a, b);
}
