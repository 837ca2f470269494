import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../../test/support/ports.ts';
import { APP_ACCOUNT, APP_SCHEMA, MONITOR_ACCOUNT } from '../../../test/support/replication-set.ts';
import { ProxyChild, versionOf } from './proxy-child.ts';
import { type Target, TargetName, type TargetOptions } from './target.ts';

const WRITER = 0;
const READER = 1;

/** ProxySQL set up for the same job: locking reads and writes to the primary, other SELECTs to the replicas. */
export async function startProxysql(options: TargetOptions): Promise<Target> {
  const { set, threads, proxysqlBinary } = options;
  if (proxysqlBinary === null) throw new Error('PROXYSQL_BIN does not name the binary of ProxySQL');
  const [port, adminPort] = (await freePorts(2)) as [number, number];
  const child = await ProxyChild.start('proxysql', proxysqlBinary, port, async (directory) => {
    const file = join(directory, 'proxysql.cnf');
    await writeFile(
      file,
      proxysqlConfig({
        directory,
        port,
        adminPort,
        threads,
        primaryPort: set.primary.port,
        replicaPorts: set.replicas.map((replica) => replica.port),
        cacheTtlMs: options.proxysqlCacheTtlMs ?? null,
      }),
    );
    // --initial: the configuration file is read, not a database of an earlier start.
    return ['-f', '--initial', '-c', file, '-D', directory];
  });
  return {
    name: TargetName.proxysql,
    port,
    pid: child.pid,
    tlsDirectory: null,
    version: await versionOf(proxysqlBinary, '--version'),
    setup: `threads ${threads}, multiplexing, reads to ${set.replicas.length} replicas by two query rules`,
    stop: () => child.stop(),
  };
}

export interface ProxysqlSetup {
  readonly directory: string;
  readonly port: number;
  readonly adminPort: number;
  readonly threads: number;
  readonly primaryPort: number;
  readonly replicaPorts: readonly number[];
  /** Null: results are not kept. */
  readonly cacheTtlMs: number | null;
}

/** Format: https://proxysql.com/documentation/configuring-proxysql/ (libconfig syntax). */
export function proxysqlConfig(setup: ProxysqlSetup): string {
  const server = (port: number, hostgroup: number) =>
    `  { address="127.0.0.1", port=${port}, hostgroup=${hostgroup}, max_connections=1000 }`;
  const readers = setup.replicaPorts.length > 0 ? setup.replicaPorts : [setup.primaryPort];
  const cache = setup.cacheTtlMs === null ? '' : `, cache_ttl=${setup.cacheTtlMs}`;
  const servers = [server(setup.primaryPort, WRITER), ...readers.map((port) => server(port, READER))];
  return `datadir="${setup.directory}"
errorlog="${join(setup.directory, 'proxysql.log')}"

admin_variables=
{
  admin_credentials="admin:admin"
  mysql_ifaces="127.0.0.1:${setup.adminPort}"
}

mysql_variables=
{
  threads=${setup.threads}
  max_connections=20000
  interfaces="127.0.0.1:${setup.port}"
  default_schema="${APP_SCHEMA}"
  multiplexing=true
  monitor_username="${MONITOR_ACCOUNT.username}"
  monitor_password="${MONITOR_ACCOUNT.password}"
}

mysql_servers=
(
${servers.join(',\n')}
)

mysql_users=
(
  { username="${APP_ACCOUNT.username}", password="${APP_ACCOUNT.password}", default_hostgroup=${WRITER}, max_connections=20000, active=1, transaction_persistent=1 }
)

mysql_query_rules=
(
  { rule_id=1, active=1, match_digest="^SELECT.*FOR UPDATE", destination_hostgroup=${WRITER}, apply=1 },
  { rule_id=2, active=1, match_digest="^SELECT", destination_hostgroup=${READER}${cache}, apply=1 }
)
`;
}
