/**
 * Who takes the place of a dead primary. Pure.
 *
 * The heir has everything that any replica that answers has, executed or received: what one of them has and the heir
 * lacks would be lost, and would set that replica against it. Among those that have everything, the first named by the
 * operator wins, then the oldest version (a newer server reads what an older one writes, not the other way round), then
 * the one with the least left to apply, then the order of the configuration.
 */

import {
  formatGtidSet,
  type GtidSet,
  gtidSetContains,
  isEmptyGtidSet,
  parseGtidSet,
  subtractGtidSet,
  uniteGtidSets,
} from './gtid.ts';
import type { MysqlGtidSet } from './mysql-gtid-set.ts';
import type { ServerAddress, ServerFlavor } from './server-description.ts';

export interface HeirCandidate {
  readonly address: ServerAddress;
  readonly flavor: ServerFlavor;
  readonly versionId: number;
  readonly serverUuid: string | null;
  /** Its binlog is on, and has what it replicates: others can replicate from it. */
  readonly logsUpdates: boolean;
  /** As the server says it. */
  readonly executed: string;
  /** What its IO thread has received and its SQL thread may not have executed. */
  readonly retrieved: string;
  /** Why its SQL thread cannot execute what was received; null where it runs or was merely stopped. */
  readonly applyError: string | null;
  /** Why the operator, or what happened to it a short while ago, excludes it; null where nothing does. */
  readonly excluded: string | null;
}

export interface CandidateVerdict {
  readonly address: ServerAddress;
  /** Null: fit. */
  readonly refusal: string | null;
  /** GTIDs that it has received and not executed yet; empty where there are none. */
  readonly toApply: string;
}

export interface HeirElection {
  readonly heir: ServerAddress | null;
  /** Why there is none; empty where there is one. */
  readonly reason: string;
  readonly candidates: readonly CandidateVerdict[];
}

interface Considered {
  readonly candidate: HeirCandidate;
  readonly executed: GtidSet;
  readonly all: GtidSet;
}

function consider(candidate: HeirCandidate): Considered | string {
  const { flavor, executed, retrieved } = candidate;
  try {
    const done = parseGtidSet(executed, flavor);
    return { candidate, executed: done, all: uniteGtidSets(done, parseGtidSet(retrieved, flavor)) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * What somebody wrote on this replica alone and nobody replicated: no transaction of the primary, so that nobody has to
 * have it. Only MySQL tells by the name of a transaction where it began.
 */
function ownWrites(one: Considered, all: readonly Considered[]): GtidSet | null {
  const { serverUuid } = one.candidate;
  if (one.all.dialect !== 'mysql' || serverUuid === null) return null;
  const sources = new Map([...one.all.sources].filter(([source]) => source.split(':')[0] === serverUuid));
  let own: GtidSet = { dialect: 'mysql', sources } satisfies MysqlGtidSet;
  for (const other of all) if (other !== one) own = subtractGtidSet(own, other.all);
  return isEmptyGtidSet(own) ? null : own;
}

/** What the heir must have. */
function wanted(all: readonly Considered[]): GtidSet | null {
  let union: GtidSet | null = null;
  for (const one of all) {
    const own = ownWrites(one, all);
    const counted = own === null ? one.all : subtractGtidSet(one.all, own);
    union = union === null ? counted : uniteGtidSets(union, counted);
  }
  return union;
}

function refusalOf(one: Considered, needed: GtidSet, all: readonly Considered[]): string | null {
  const { candidate } = one;
  if (candidate.excluded !== null) return candidate.excluded;
  if (!candidate.logsUpdates) return 'nobody could replicate from it: log_bin or log_slave_updates is off';
  if (!gtidSetContains(one.all, needed))
    return `it lacks ${formatGtidSet(subtractGtidSet(needed, one.all))}, which another replica has`;
  if (candidate.applyError !== null && !gtidSetContains(one.executed, needed))
    return `it cannot execute what it has received: ${candidate.applyError}`;
  const own = ownWrites(one, all);
  if (own !== null) return `it has transactions of its own: ${formatGtidSet(own)}`;
  return null;
}

/** @param preferred addresses, the most wanted first; candidates are in the order of the configuration */
export function electHeir(
  candidates: readonly HeirCandidate[],
  preferred: readonly ServerAddress[],
): HeirElection {
  const flavors = new Set(candidates.map(({ flavor }) => flavor));
  if (flavors.size > 1) return nobody(candidates, 'MySQL and MariaDB cannot be compared');
  const considered: Considered[] = [];
  for (const candidate of candidates) {
    const one = consider(candidate);
    // What it has cannot be told, so it cannot be told either that anybody else has it.
    if (typeof one === 'string') return nobody(candidates, `${candidate.address}: ${one}`);
    considered.push(one);
  }
  const needed = wanted(considered);
  if (needed === null)
    return { heir: null, reason: 'there is no replica that could take over', candidates: [] };
  if (isEmptyGtidSet(needed))
    return nobody(candidates, 'no replica has a GTID: positions cannot be compared');
  const verdicts = considered.map((one) => ({
    address: one.candidate.address,
    refusal: refusalOf(one, needed, considered),
    toApply: formatGtidSet(subtractGtidSet(one.all, one.executed)),
  }));
  const fit = considered.filter((_, index) => verdicts[index]!.refusal === null);
  if (fit.length === 0) {
    const why = verdicts.map(({ address, refusal }) => `${address}: ${refusal}`).join('; ');
    return { heir: null, reason: `no replica can take over: ${why}`, candidates: verdicts };
  }
  const heir = fit.toSorted((a, b) => compare(a, b, preferred))[0]!;
  return { heir: heir.candidate.address, reason: '', candidates: verdicts };
}

function nobody(candidates: readonly HeirCandidate[], reason: string): HeirElection {
  return {
    heir: null,
    reason,
    candidates: candidates.map(({ address }) => ({ address, refusal: reason, toApply: '' })),
  };
}

function compare(a: Considered, b: Considered, preferred: readonly ServerAddress[]): number {
  const place = ({ candidate }: Considered) => {
    const index = preferred.indexOf(candidate.address);
    return index === -1 ? preferred.length : index;
  };
  const byLeft = countLeft(a) - countLeft(b);
  return (
    place(a) - place(b) ||
    a.candidate.versionId - b.candidate.versionId ||
    (byLeft < 0n ? -1 : byLeft > 0n ? 1 : 0)
  );
}

/** Transactions that were received and not executed. */
function countLeft({ all, executed }: Considered): bigint {
  let count = 0n;
  if (all.dialect === 'mysql' && executed.dialect === 'mysql') {
    const rest = subtractGtidSet(all, executed) as MysqlGtidSet;
    for (const intervals of rest.sources.values())
      for (const { first, last } of intervals) count += last - first + 1n;
  } else if (all.dialect === 'mariadb' && executed.dialect === 'mariadb') {
    for (const [domain, { sequence }] of all.domains)
      count += sequence - (executed.domains.get(domain)?.sequence ?? 0n);
  }
  return count;
}
