/** Connects to a server, and finds out in which words orders are given to it. */

import { ServerFlavor } from '../../../topology/server-description.ts';
import type { MonitorCredentials, MonitorTarget } from '../../monitor/monitor-connection.ts';
import { MariadbOperator } from './mariadb-operator.ts';
import { MysqlOperator } from './mysql-operator.ts';
import { ServerLink } from './server-link.ts';
import type { ServerOperator } from './server-operator.ts';

/** @throws ServerOrderError */
export async function openOperator(
  target: MonitorTarget,
  credentials: MonitorCredentials,
  statementTimeoutMs: number,
): Promise<ServerOperator> {
  const link = new ServerLink(target, credentials, statementTimeoutMs);
  try {
    const version = await link.version();
    return version.flavor === ServerFlavor.mariadb
      ? new MariadbOperator(link, version)
      : new MysqlOperator(link, version);
  } catch (error) {
    link.close();
    throw error;
  }
}
