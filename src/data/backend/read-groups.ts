/** The hostgroups' servers for reads, as pools: who is in them follows the snapshots. */

import type { Snapshot } from '../../common/snapshot.ts';
import { HostgroupKind, MemberVerdict, type RuledHostgroup } from '../../topology/hostgroup-membership.ts';
import type { ReplicaMeasurements } from './balancing/replica-measurements.ts';
import { ReadGroup, type ReadMember } from './read-group.ts';
import type { ServerPool } from './server-pool.ts';

const FIT: ReadonlySet<MemberVerdict> = new Set<MemberVerdict>([MemberVerdict.fit]);
const ANSWERS: ReadonlySet<MemberVerdict> = new Set<MemberVerdict>([
  MemberVerdict.fit,
  MemberVerdict.roleUnknown,
  MemberVerdict.notReplicating,
  MemberVerdict.lagUnknown,
  MemberVerdict.lagging,
  MemberVerdict.tooSlow,
]);

const LAGGING: ReadonlySet<MemberVerdict> = new Set<MemberVerdict>([
  MemberVerdict.lagging,
  MemberVerdict.lagUnknown,
]);

/** Where proven reads go; see router/destination.ts. */
export interface ReadTarget {
  readonly source: string;
  /** The hostgroup. */
  readonly readers: number | null;
}

type Pools = ReadonlyMap<string, ServerPool>;
type Groups = ReadonlyMap<number, ReadGroup<ServerPool>>;

export class ReadGroups {
  readonly #measurements: ReplicaMeasurements;
  /** By hostgroup. */
  #readers: Groups = new Map();
  /** The same, with all that answer: whether they are fit does not matter to who gets no answer. */
  #mirrors: Groups = new Map();

  constructor(measurements: ReplicaMeasurements) {
    this.#measurements = measurements;
  }

  of({ readers, source }: ReadTarget): ReadGroup<ServerPool> | undefined {
    if (readers === null) return undefined;
    return (source === 'mirror' ? this.#mirrors : this.#readers).get(readers);
  }

  apply(snapshot: Snapshot, pools: Pools): void {
    this.#readers = this.#updated(snapshot, pools, this.#readers, FIT);
    this.#mirrors = this.#updated(snapshot, pools, this.#mirrors, ANSWERS);
    const isWatched = [...this.#readers.values()].some(({ watchesLatency }) => watchesLatency);
    for (const pool of pools.values()) pool.latency.isWatched = isWatched;
  }

  #updated(snapshot: Snapshot, pools: Pools, known: Groups, wanted: ReadonlySet<MemberVerdict>): Groups {
    const groups = new Map<number, ReadGroup<ServerPool>>();
    for (const hostgroup of snapshot.hostgroups) {
      if (hostgroup.kind === HostgroupKind.writer) continue;
      const group = known.get(hostgroup.id) ?? new ReadGroup(this.#measurements);
      const heaviest = hostgroup.members.reduce((most, { weight }) => Math.max(most, weight), 1);
      const { policy, hashKey } = hostgroup;
      const isLagging = wanted === FIT && readsLagging(snapshot, hostgroup);
      const members = membersOf(snapshot, hostgroup, pools, isLagging ? LAGGING : wanted);
      group.update(members, { policy, hashKey, heaviest, isLagging });
      groups.set(hostgroup.id, group);
    }
    return groups;
  }
}

/** Nobody is fit, and those who are late are better than nobody. */
function readsLagging({ settings }: Snapshot, { members }: RuledHostgroup): boolean {
  if (settings.routing.whenAllLag !== 'least-lagged') return false;
  return !members.some(({ verdict }) => verdict === MemberVerdict.fit);
}

function membersOf(
  { writes, settings }: Snapshot,
  { members }: RuledHostgroup,
  pools: Pools,
  wanted: ReadonlySet<MemberVerdict>,
): ReadMember<ServerPool>[] {
  const ownZone = settings.routing.zone;
  const readers: ReadMember<ServerPool>[] = [];
  for (const { address, verdict, weight, zone, warming } of members) {
    const pool = pools.get(address);
    if (pool === undefined || !wanted.has(verdict) || address === writes.fenced) continue;
    readers.push({ pool, weight, warming, isNear: ownZone === '' || zone === ownZone });
  }
  return readers;
}
