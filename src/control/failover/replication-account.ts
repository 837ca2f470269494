/** The account that a server without one is to replicate with, and whether the new primary lets it in. */

import { ER_ACCESS_DENIED_ERROR } from '../../common/server-errno.ts';
import { MonitorConnection } from '../monitor/monitor-connection.ts';
import { describeError, errnoOf } from '../monitor/server-error.ts';
import type { CheckList } from './check-verdict.ts';
import type { OperationContext } from './operation-context.ts';
import { quote } from './servers/replication-statements.ts';
import type { ReplicationCredentials, ServerOperator } from './servers/server-operator.ts';

const LOGIN_TIMEOUT_MS = 2000;

const WHERE = 'set failover.replication.username and .password';

/** The configured one, else what a MySQL replica has. @throws ServerOrderError */
export async function findReplicationAccount(
  context: OperationContext,
  replica: ServerOperator,
  channel: string,
): Promise<ReplicationCredentials | null> {
  const { username, password } = context.settings().replication;
  if (username !== null && password !== null) return { username, password };
  return replica.replicationCredentials(channel);
}

/** @param primary whom the account is to replicate from */
export async function checkReplicationAccount(
  checks: CheckList,
  context: OperationContext,
  primary: ServerOperator,
  account: ReplicationCredentials | null,
): Promise<void> {
  const check = 'replication-account';
  if (account === null) {
    checks.refuse(check, `nothing tells the account that servers replicate with: ${WHERE}`);
    return;
  }
  const { username } = account;
  const rows = await primary.link.query(
    `SELECT Host AS host, Repl_slave_priv AS granted FROM mysql.user WHERE User = ${quote(username)}`,
  );
  const hosts = rows.filter(({ granted }) => granted === 'Y').map(({ host }) => host ?? '');
  if (hosts.length === 0) {
    const missing = rows.length === 0 ? 'does not exist' : 'lacks REPLICATION SLAVE';
    checks.refuse(check, `the account ${quote(username)} ${missing} on ${primary.address}: ${WHERE}`);
    return;
  }
  const refusal = await loginRefusal(context, primary, account);
  // From Sluice's host it may be refused for the host alone.
  const isEverywhere = hosts.includes('%');
  if (refusal !== '' && isEverywhere) checks.refuse(check, refusal);
  else if (refusal !== '') checks.note(check, `${refusal} (from here; the servers may be let in)`);
  else checks.require(check, true, username, '');
}

async function loginRefusal(
  context: OperationContext,
  primary: ServerOperator,
  account: ReplicationCredentials,
): Promise<string> {
  const { resolveTls } = context.credentials();
  const credentials = resolveTls === undefined ? account : { ...account, resolveTls };
  try {
    const signal = AbortSignal.timeout(LOGIN_TIMEOUT_MS);
    (await MonitorConnection.open(primary.link.target, credentials, signal)).close();
    return '';
  } catch (error) {
    if (errnoOf(error) !== ER_ACCESS_DENIED_ERROR) return `${primary.address}: ${describeError(error)}`;
    return `${primary.address} does not let the account ${quote(account.username)} in: ${describeError(error)}`;
  }
}
