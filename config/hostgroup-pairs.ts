/** Which pairs of hostgroups (writer, reader) there are, and which hostgroups exist at all. */
import type { Config } from './schema.ts';

export interface HostgroupPairConfig {
  readonly writer: number;
  readonly reader: number;
}

type Sections = Pick<Config, 'hostgroups' | 'replicationHostgroups'>;

/** Never empty: without `replicationHostgroups`, it is the pair of `hostgroups`. */
export function hostgroupPairs({ hostgroups, replicationHostgroups }: Sections): HostgroupPairConfig[] {
  if (replicationHostgroups.length === 0) return [{ ...hostgroups }];
  return replicationHostgroups.map(({ writerHostgroup, readerHostgroup }) => ({
    writer: writerHostgroup,
    reader: readerHostgroup,
  }));
}

/** The pair of servers and accounts that name no hostgroup. */
export function defaultPair(sections: Sections): HostgroupPairConfig {
  const pairs = hostgroupPairs(sections);
  return pairs.find(({ writer }) => writer === sections.hostgroups.writer) ?? pairs[0]!;
}

/** Those of pairs, and those that a server is listed for. */
export function existingHostgroups(
  sections: Sections & { readonly servers: readonly { readonly hostgroup: number | null }[] },
): Set<number> {
  const existing = new Set<number>();
  for (const { writer, reader } of hostgroupPairs(sections)) existing.add(writer).add(reader);
  for (const { hostgroup } of sections.servers) if (hostgroup !== null) existing.add(hostgroup);
  return existing;
}
