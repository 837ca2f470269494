/** What calling a function does, as far as a read on a replica is concerned. */

import { BUILTIN_GROUPS, type BuiltinGroup, SPACE_SENSITIVE } from './builtin-function-names.ts';
import type { LexicalContext } from './lexical-context.ts';
import { ClassReason, PinReason, type ResidueUse } from './statement-class.ts';

export interface FunctionFacts {
  /** `proven-read` for a built-in without side effects. */
  readonly reason: ClassReason;
  /** What it reads of the connection's last statement. */
  readonly residue: keyof ResidueUse | null;
  /** What a call leaves on its connection. */
  readonly pin: PinReason | null;
  /** It takes or frees locks of GET_LOCK. */
  readonly usesLocks: boolean;
}

const SAFE: FunctionFacts = {
  reason: ClassReason.provenRead,
  residue: null,
  pin: null,
  usesLocks: false,
};
const UNSAFE: FunctionFacts = { ...SAFE, reason: ClassReason.unsafeFunction };
const STATE: FunctionFacts = { ...SAFE, reason: ClassReason.serverState };
const SEQUENCE: FunctionFacts = { ...SAFE, reason: ClassReason.sequence, pin: PinReason.sequence };
/** Nothing is known of it: a stored or loadable function may do anything. */
export const UNKNOWN_FUNCTION: FunctionFacts = {
  reason: ClassReason.unknownFunction,
  residue: null,
  pin: PinReason.storedRoutine,
  usesLocks: false,
};

function session(residue: keyof ResidueUse): FunctionFacts {
  return { ...SAFE, reason: ClassReason.sessionFunction, residue };
}

/**
 * Built-ins that are more than their arguments, with what is wrong with each. They keep their facts on servers
 * that lack them, except that nothing here is ever proven.
 */
const NOT_PROVEN: ReadonlyMap<string, FunctionFacts> = new Map([
  // Locks that belong to the connection, and their state.
  ['GET_LOCK', { ...UNSAFE, pin: PinReason.userLock, usesLocks: true }],
  ['RELEASE_LOCK', { ...UNSAFE, usesLocks: true }],
  ['RELEASE_ALL_LOCKS', { ...UNSAFE, usesLocks: true }],
  ['IS_FREE_LOCK', UNSAFE],
  ['IS_USED_LOCK', UNSAFE],
  // They keep a server busy, and their place is where the application put them.
  ['SLEEP', UNSAFE],
  ['BENCHMARK', UNSAFE],
  // A file of one server.
  ['LOAD_FILE', UNSAFE],
  // An XPath in a string may name user variables: '$@x'.
  ['EXTRACTVALUE', UNSAFE],
  ['UPDATEXML', UNSAFE],
  // In MariaDB a column's default may be NEXTVAL of a sequence.
  ['DEFAULT', UNSAFE],
  ['LAST_INSERT_ID', session('lastInsertId')],
  ['FOUND_ROWS', session('foundRows')],
  ['ROW_COUNT', session('rowCount')],
  ['CONNECTION_ID', session('connectionId')],
  ['PS_CURRENT_THREAD_ID', session('connectionId')],
  ['NEXTVAL', SEQUENCE],
  ['LASTVAL', SEQUENCE],
  ['CURRVAL', SEQUENCE],
  ['SETVAL', SEQUENCE],
  // Positions, replication and metadata of one server.
  ['MASTER_POS_WAIT', STATE],
  ['SOURCE_POS_WAIT', STATE],
  ['MASTER_GTID_WAIT', STATE],
  ['WAIT_FOR_EXECUTED_GTID_SET', STATE],
  ['WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS', STATE],
  ['BINLOG_GTID_POS', STATE],
  ['PS_THREAD_ID', STATE],
  ['WSREP_LAST_SEEN_GTID', STATE],
  ['WSREP_LAST_WRITTEN_GTID', STATE],
  ['WSREP_SYNC_WAIT_UPTO_GTID', STATE],
]);

const GROUPS_BY_NAME = new Map<string, BuiltinGroup[]>();
for (const group of BUILTIN_GROUPS) {
  for (const name of group.names.split(/\s+/)) {
    const groups = GROUPS_BY_NAME.get(name);
    if (groups === undefined) GROUPS_BY_NAME.set(name, [group]);
    else groups.push(group);
  }
}

const OLDEST = { mysql: 50700, mariadb: 100200 } as const;

/** An unknown version is taken for the oldest one that also lacks what was removed later. */
function has(group: BuiltinGroup, context: LexicalContext): boolean {
  const version = context.versionId === 0 ? OLDEST[context.flavor] : context.versionId;
  if (context.flavor === 'mariadb') return group.mariadbFrom !== null && version >= group.mariadbFrom;
  if (group.mysqlFrom === null || version < group.mysqlFrom) return false;
  return group.mysqlBelow === null || (context.versionId !== 0 && version < group.mysqlBelow);
}

/**
 * The facts about an unquoted, unqualified call. `name` is in upper case; `detached` says that something stands
 * between the name and its parenthesis that makes the server look for a stored function instead.
 */
export function functionFacts(name: string, detached: boolean, context: LexicalContext): FunctionFacts {
  const notProven = NOT_PROVEN.get(name);
  if (notProven === SEQUENCE && context.flavor === 'mysql') return UNKNOWN_FUNCTION;
  if (notProven !== undefined) return notProven;
  const groups = GROUPS_BY_NAME.get(name);
  if (groups === undefined || (detached && SPACE_SENSITIVE.has(name))) return UNKNOWN_FUNCTION;
  for (const group of groups) {
    if (has(group, context)) return SAFE;
  }
  return UNKNOWN_FUNCTION;
}

/** Functions that need no parentheses. All of them are safe; none answers the same each time. */
export const BARE_FUNCTIONS: ReadonlySet<string> = new Set([
  'CURRENT_USER',
  'CURRENT_ROLE',
  'CURRENT_DATE',
  'CURRENT_TIME',
  'CURRENT_TIMESTAMP',
  'LOCALTIME',
  'LOCALTIMESTAMP',
  'SYSDATE',
  'UTC_DATE',
  'UTC_TIME',
  'UTC_TIMESTAMP',
]);

/** Names of all functions that something is known of; what a context's server has of them is another question. */
export function knownFunctions(): ReadonlySet<string> {
  return new Set([...GROUPS_BY_NAME.keys(), ...NOT_PROVEN.keys(), ...BARE_FUNCTIONS]);
}
