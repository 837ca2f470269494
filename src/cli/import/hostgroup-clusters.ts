/**
 * Which hostgroups belong to one primary. ProxySQL routes to any number of clusters, a Sluice has one primary, which
 * gets everything that is no proven read: what belongs to another cluster must not get in. Pure.
 */

export interface HostgroupPairRow {
  readonly writer: number;
  readonly reader: number;
}

export interface ClusterFacts {
  readonly pairs: readonly HostgroupPairRow[];
  /** Hostgroups by server. */
  readonly servers: ReadonlyMap<string, readonly number[]>;
  /** For each active account its default hostgroup. */
  readonly defaults: readonly number[];
  /** Hostgroups that rules or routes may send writes to. */
  readonly writtenTo: ReadonlySet<number>;
  /** Hostgroups that the operator knows to be of the same cluster. */
  readonly same: readonly number[];
  /** A hostgroup of the cluster, as the operator has chosen it; else the one that most accounts are for. */
  readonly chosen: number | null;
}

export interface Cluster {
  readonly pairs: readonly HostgroupPairRow[];
  /** That of the primary. */
  readonly writer: number;
  /** All hostgroups that this Sluice serves. */
  readonly hostgroups: ReadonlySet<number>;
  /** Hostgroups with servers that are left to other Sluices. */
  readonly others: readonly number[];
}

/** Hostgroups that are connected: by a pair, or by a server that is in both. */
class Components {
  readonly #parent = new Map<number, number>();

  add(hostgroup: number): number {
    const parent = this.#parent.get(hostgroup);
    if (parent === undefined) {
      this.#parent.set(hostgroup, hostgroup);
      return hostgroup;
    }
    return parent === hostgroup ? hostgroup : this.add(parent);
  }

  join(a: number, b: number): void {
    const [first, second] = [this.add(a), this.add(b)];
    if (first !== second) this.#parent.set(Math.max(first, second), Math.min(first, second));
  }

  get all(): number[] {
    return [...this.#parent.keys()].sort((a, b) => a - b);
  }
}

function componentsOf({ pairs, servers, same }: ClusterFacts): Components {
  const components = new Components();
  for (const { writer, reader } of pairs) components.join(writer, reader);
  for (const hostgroups of servers.values())
    for (const hostgroup of hostgroups) components.join(hostgroups[0] ?? hostgroup, hostgroup);
  for (const hostgroup of same) components.join(same[0] ?? hostgroup, hostgroup);
  return components;
}

function mostFrequent(hostgroups: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const hostgroup of hostgroups) counts.set(hostgroup, (counts.get(hostgroup) ?? 0) + 1);
  const [best] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
  return best?.[0] ?? null;
}

/** The hostgroup that the primary is looked for in. */
function startOf(facts: ClusterFacts, withServers: ReadonlySet<number>): number {
  const { chosen, defaults, pairs } = facts;
  if (chosen !== null) return chosen;
  const ofAccounts = mostFrequent(defaults.filter((hostgroup) => isServed(hostgroup, facts, withServers)));
  const writers = pairs.map(({ writer }) => writer);
  const candidates = [
    ofAccounts,
    ...writers.filter((writer) => isServed(writer, facts, withServers)),
    Math.min(...withServers),
    writers[0],
  ];
  return candidates.find((each) => each !== null && each !== undefined && Number.isFinite(each)) ?? 0;
}

/** Whether it has servers, or may get some from the other half of its pair. */
function isServed(hostgroup: number, { pairs }: ClusterFacts, withServers: ReadonlySet<number>): boolean {
  const pair = pairs.find(({ writer, reader }) => writer === hostgroup || reader === hostgroup);
  if (pair === undefined) return withServers.has(hostgroup);
  return withServers.has(pair.writer) || withServers.has(pair.reader);
}

export function chooseCluster(facts: ClusterFacts): Cluster {
  const withServers = new Set([...facts.servers.values()].flat());
  const start = startOf(facts, withServers);
  const components = componentsOf(facts);
  const isHome = (hostgroup: number) => components.add(hostgroup) === components.add(start);
  // Servers of no pair that get nothing but reads are a group of replicas, such as those for reports.
  const hasWrites = new Set([...facts.defaults, ...facts.writtenTo].map((each) => components.add(each)));
  const paired = new Set(facts.pairs.map(({ writer }) => components.add(writer)));
  const isForReads = (hostgroup: number) =>
    !hasWrites.has(components.add(hostgroup)) && !paired.has(components.add(hostgroup));
  const pairs = facts.pairs.filter(({ writer }) => isHome(writer));
  const ofStart = pairs.find(({ writer, reader }) => writer === start || reader === start) ?? pairs[0];
  const all = components.all;
  const served = all.filter((hostgroup) => isHome(hostgroup) || isForReads(hostgroup));
  return {
    pairs: ofStart === undefined ? [] : [ofStart, ...pairs.filter((pair) => pair !== ofStart)],
    writer: ofStart?.writer ?? start,
    hostgroups: new Set(served),
    others: all.filter((hostgroup) => withServers.has(hostgroup) && !served.includes(hostgroup)),
  };
}
