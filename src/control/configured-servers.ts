/** `servers` of the configuration, as the monitor wants them (one for each address) and as hostgroups do (each row). */

import { defaultPair, hostgroupPairs } from '../../config/hostgroup-pairs.ts';
import type { Config, ServerConfig } from '../../config/schema.ts';
import type { HostgroupPair } from '../topology/hostgroup.ts';
import type { HostgroupEntry } from '../topology/hostgroup-membership.ts';
import { formatServerAddress } from '../topology/server-address.ts';
import { ServerStatus, tlsForAll } from '../topology/server-description.ts';
import type { AdministrativeStatus } from '../topology/server-health.ts';
import { type ConfiguredServer, lagLimits } from '../topology/topology-member.ts';
import { serverTlsOf } from './tls-material.ts';

/** The mildest first: a server that is ONLINE in one of its hostgroups is watched and used as such. */
const BY_MILDNESS: readonly AdministrativeStatus[] = [
  ServerStatus.ONLINE,
  ServerStatus.OFFLINE_SOFT,
  ServerStatus.OFFLINE_HARD,
];

/**
 * Several rows of one address are one server: the most connections of any of them, TLS as strict as the strictest,
 * weight and hostgroup of the first.
 */
export function configuredServers(config: Config): ConfiguredServer[] {
  const rowsOf = Map.groupBy(config.servers, addressOf);
  return [...rowsOf.values()].map((rows) => {
    const { host, port, weight, maxReplicationLagMs, hostgroup } = rows[0]!;
    const limits = rows.map(({ maxConnections }) => maxConnections);
    return {
      host,
      port,
      weight,
      // 0 is the monitor's word for "no limit of its own".
      maxConnections: limits.includes(null) ? 0 : Math.max(...limits.map((limit) => limit ?? 0)),
      maxReplicationLagMs,
      hostgroup,
      status:
        BY_MILDNESS.find((status) => rows.some((row) => orderOf(row) === status)) ?? ServerStatus.ONLINE,
      latencyLimitsMs: rows.map(({ maxLatencyMs }) => maxLatencyMs).filter((limitMs) => limitMs > 0),
      lagLimitsMs: lagLimits(rows.map((row) => row.maxReplicationLagMs)),
      tls: tlsForAll(rows.map((row) => serverTlsOf(config, row))),
    };
  });
}

export function hostgroupEntries({ servers }: Config): HostgroupEntry[] {
  return servers.map((row) => ({
    address: addressOf(row),
    hostgroup: row.hostgroup,
    weight: row.weight,
    status: orderOf(row),
    maxReplicationLagMs: row.maxReplicationLagMs,
    maxLatencyMs: row.maxLatencyMs,
    zone: row.zone,
  }));
}

/** The first one is that of servers that nobody has listed. */
export function hostgroupPairsOf(config: Config): HostgroupPair[] {
  const first = defaultPair(config);
  return [first, ...hostgroupPairs(config).filter(({ writer }) => writer !== first.writer)];
}

function addressOf({ host, port }: ServerConfig): string {
  return formatServerAddress(host, port);
}

/** Whether a server is shunned is measured, not ordered. */
function orderOf({ status }: ServerConfig): AdministrativeStatus {
  return status === ServerStatus.SHUNNED ? ServerStatus.ONLINE : status;
}
