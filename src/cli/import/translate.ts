/** From ProxySQL's configuration to one of Sluice that does the same, as far as it can, and a report of the rest. */
import { existingHostgroups } from '../../../config/hostgroup-pairs.ts';
import type { Config, ReplicationHostgroupConfig, ServerConfig, UserConfig } from '../../../config/schema.ts';
import { configSchema, serverDefaults } from '../../../config/schema.ts';
import { formatAddress } from '../../../config/server-address.ts';
import type { VariableCatalog } from '../../control/runtime/variable-catalog.ts';
import { type Cluster, chooseCluster } from './hostgroup-clusters.ts';
import { ImportReport } from './import-report.ts';
import { withoutMissingFiles } from './missing-files.ts';
import { reportOthers } from './other-tables.ts';
import type { ProxySqlSource } from './proxysql-source.ts';
import { repaired } from './repair.ts';
import { rulesForUnruledReads } from './ruled-reads.ts';
import {
  readFastRouting,
  readFirewall,
  readRules,
  routeRules,
  withoutBadRules,
  writtenTo,
} from './translate-rules.ts';
import { PairReader, pairRows, readHostgroupAttributes, readServers } from './translate-servers.ts';
import { readUsers } from './translate-users.ts';
import { VariableTranslation } from './translate-variables.ts';

export interface TranslationOptions {
  /** A hostgroup of the cluster that is wanted; null: the one that most accounts are for. */
  readonly hostgroup: number | null;
  /** Hostgroups that are of the same cluster, though nothing says so. */
  readonly sameCluster: readonly number[];
  /** Reads that no rule sends anywhere stay on the primary, as in ProxySQL. */
  readonly onlyRuledReads: boolean;
  /** Files that are named are on another machine. */
  readonly keepsFiles: boolean;
}

export interface Translation {
  readonly config: Config;
  readonly report: ImportReport;
}

/** A name that is never one of a machine (RFC 6761). */
const NO_SERVER = 'no-server-was-imported.invalid';

/** Sizes that nobody has written are left to the machine that Sluice will run on. */
function emptyConfig(): Config {
  const values = configSchema.parse({});
  return { ...(values as unknown as Config), servers: [], users: [], backendUsers: null };
}

function serversByAddress(servers: readonly ServerConfig[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const { host, port, hostgroup } of servers) {
    const address = formatAddress(host, port);
    const known = places.get(address);
    if (known === undefined) places.set(address, [hostgroup ?? 0]);
    else known.push(hostgroup ?? 0);
  }
  return places;
}

function freeHostgroup(used: Iterable<number>, beside: number): number {
  const taken = new Set(used);
  for (let hostgroup = beside + 1; ; hostgroup++) if (!taken.has(hostgroup)) return hostgroup;
}

/** The pairs, or where there are none the hostgroup of the primary with an empty one for readers. */
function withPairs(
  config: Config,
  all: readonly ReplicationHostgroupConfig[],
  cluster: Cluster,
  used: Iterable<number>,
  report: ImportReport,
): Config {
  const writers = cluster.pairs.map(({ writer }) => writer);
  const pairs = writers.flatMap((writer) => all.filter(({ writerHostgroup }) => writerHostgroup === writer));
  report.taken('pairs of hostgroups', pairs.length);
  for (const { writerHostgroup, readerHostgroup } of all) {
    if (pairs.some((pair) => pair.writerHostgroup === writerHostgroup)) continue;
    const what = `the pair ${writerHostgroup}, ${readerHostgroup}`;
    report.missing(what, 'it belongs to another primary, or has no servers');
  }
  if (pairs.length > 0) return { ...config, replicationHostgroups: pairs };
  const { writer } = cluster;
  const reader = freeHostgroup(used, writer);
  if (cluster.hostgroups.size > 0)
    report.changed(
      `hostgroup ${writer}`,
      `hostgroups.writer, with the empty ${reader} as its reader: the writable one of its servers is the primary. A server there that replicates from it goes to ${reader} by itself`,
    );
  return { ...config, hostgroups: { writer, reader } };
}

function reportOtherClusters(cluster: Cluster, servers: readonly ServerConfig[], report: ImportReport): void {
  for (const other of cluster.others) {
    const names = servers
      .filter(({ hostgroup }) => hostgroup === other)
      .map(({ host, port }) => formatAddress(host, port));
    report.attention(
      `hostgroup ${other} (${names.join(', ')})`,
      `left out: a Sluice has one primary, here that of hostgroup ${cluster.writer}. For another cluster import once more, with --hostgroup of it, for a Sluice of its own; if it is the same cluster, name it with --same-cluster`,
    );
  }
}

/** An account that could do nothing, or the wrong thing, is kept, switched off. */
function withAccounts(config: Config, users: readonly UserConfig[], report: ImportReport): Config {
  const existing = existingHostgroups(config);
  const list = users.map((user) => {
    const { username, active, defaultHostgroup: hostgroup, requireTls } = user;
    if (active && hostgroup !== null && !existing.has(hostgroup)) {
      report.attention(
        `mysql_users '${username}'`,
        `switched off: hostgroup ${hostgroup} is not served here`,
      );
      return { ...user, active: false };
    }
    if (requireTls === 'NONE' || config.tls.certificate !== null) return user;
    report.attention(
      `mysql_users '${username}', column use_ssl`,
      'switched off until tls.certificate is set; then give it active: true and requireTls: SSL',
    );
    return { ...user, active: false, requireTls: 'NONE' as const };
  });
  report.taken('accounts', list.length);
  return { ...config, users: list };
}

function isInBothHalves(config: Config): boolean {
  return config.replicationHostgroups.some(({ writerHostgroup, readerHostgroup }) =>
    [...serversByAddress(config.servers).values()].some(
      (hostgroups) => hostgroups.includes(writerHostgroup) && hostgroups.includes(readerHostgroup),
    ),
  );
}

/** What ProxySQL does without being told, and Sluice would not. */
function withProxySqlsWays(config: Config, report: ImportReport): Config {
  report.changed('monitor.discovery', 'false: ProxySQL uses the listed servers only');
  let { routing } = config;
  if (isInBothHalves(config)) {
    report.changed(
      'a server in both hostgroups of a pair',
      'routing.readsOnPrimary: share, so that the primary answers its part of the reads, whichever server it is',
    );
    routing = { ...routing, readsOnPrimary: 'share' };
  }
  return { ...config, routing, monitor: { ...config.monitor, discovery: false } };
}

function withSomeServer(config: Config, report: ImportReport): Config {
  if (config.servers.length > 0) return config;
  report.attention(
    'mysql_servers',
    `there is none to take; ${NO_SERVER} stands for the first: give servers its address`,
  );
  return { ...config, servers: [serverDefaults(NO_SERVER, 3306)] };
}

class Translator {
  readonly #source: ProxySqlSource;
  readonly #options: TranslationOptions;
  readonly #report = new ImportReport();

  constructor(source: ProxySqlSource, options: TranslationOptions) {
    this.#source = source;
    this.#options = options;
  }

  async translate(catalog: VariableCatalog): Promise<Translation> {
    const report = this.#report;
    const settings = new VariableTranslation(this.#source, catalog, emptyConfig(), report).translate();
    const { config, cluster } = await this.#topology(settings);
    const firewall = await readFirewall(this.#source, config, report);
    const hostgroupAttributes = await readHostgroupAttributes(this.#source, cluster, report);
    const whole = withProxySqlsWays({ ...config, firewall, hostgroupAttributes }, report);
    reportOthers(this.#source, report);
    const found = this.#options.keepsFiles ? whole : withoutMissingFiles(whole, report);
    return { config: repaired(withSomeServer(found, report), report), report };
  }

  /** Servers, accounts and rules: which of them belong together decides what is taken. */
  async #topology(before: Config): Promise<{ config: Config; cluster: Cluster }> {
    const [source, report] = [this.#source, this.#report];
    const pairs = new PairReader(source, report);
    await pairs.read();
    const all = await readServers(source, before, pairs.aliases, report);
    const users = await readUsers(source, before, report);
    const rules = await readRules(source, report);
    const routes = await readFastRouting(source, report);
    const cluster = chooseCluster({
      pairs: pairRows(pairs.pairs),
      servers: serversByAddress(all),
      defaults: users.filter(({ active }) => active).map(({ defaultHostgroup }) => defaultHostgroup ?? 0),
      writtenTo: writtenTo(rules, routes),
      same: this.#options.sameCluster,
      chosen: this.#options.hostgroup,
    });
    reportOtherClusters(cluster, all, report);
    const servers = all.filter(({ hostgroup }) => cluster.hostgroups.has(hostgroup ?? 0));
    report.taken('servers', new Set(servers.map(({ host, port }) => formatAddress(host, port))).size);
    const used = [
      ...all.map(({ hostgroup }) => hostgroup ?? 0),
      ...users.map(({ defaultHostgroup }) => defaultHostgroup ?? 0),
      ...rules.flatMap(({ destinationHostgroup, mirrorHostgroup }) => [
        destinationHostgroup ?? 0,
        mirrorHostgroup ?? 0,
      ]),
      ...routes.map(({ destinationHostgroup }) => destinationHostgroup),
    ];
    const paired = withPairs({ ...before, servers }, pairs.pairs, cluster, used, report);
    const config = withAccounts(paired, users, report);
    const existing = existingHostgroups(config);
    const routed = routeRules(rules, routes, { ...cluster, hostgroups: existing }, report);
    const queryRules = withoutBadRules(routed.queryRules, existing, report);
    report.taken('query rules', rules.length);
    report.taken('fast routes', routed.fastRouting.length);
    const ruled = this.#options.onlyRuledReads
      ? rulesForUnruledReads(config, queryRules, report)
      : this.#unruledReads(config, queryRules);
    return { config: { ...config, queryRules: ruled, fastRouting: routed.fastRouting }, cluster };
  }

  #unruledReads(config: Config, rules: Config['queryRules']): Config['queryRules'] {
    if (config.replicationHostgroups.length > 0)
      this.#report.changed(
        'reads that no rule sends anywhere',
        'proven reads go to the reader hostgroup by themselves, and see what was written before; --only-ruled-reads keeps them on the primary',
      );
    return rules;
  }
}

export function translate(
  source: ProxySqlSource,
  options: TranslationOptions,
  catalog: VariableCatalog,
): Promise<Translation> {
  return new Translator(source, options).translate(catalog);
}
