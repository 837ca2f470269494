/** Why somebody whose password is right, or does not matter, is sent away all the same: in the words of the servers. */

import { type AcceptedClient, Capability } from '../../../protocol/index.ts';
import { accountName, type PlacedAccount } from '../../common/account.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { type AccountPolicy, type SnapshotAccounts, TlsRequirement } from '../../common/snapshot.ts';

/** Of the operating system's own word on who is there, which nobody can give over a network. */
const SOCKET_PLUGINS: ReadonlySet<string> = new Set(['unix_socket', 'auth_socket']);

export interface LoginCircumstances {
  readonly policy: AccountPolicy;
  readonly transport: {
    readonly isEncrypted: boolean;
    readonly isLocal: boolean;
    readonly hasCertificate: boolean;
  };
  /** Of everybody. */
  readonly requiresTls: boolean;
  /** As servers name it. */
  readonly host: string;
  readonly nowMs: number;
}

/** No account is for clients from there. */
export function hostRefusal(host: string, { flavor }: AccountPolicy): ClientError {
  const product = flavor === 'mariadb' ? 'MariaDB' : 'MySQL';
  return clientError('PROXY_HOST_NOT_ALLOWED', { host, product });
}

/** Whether no proof can open the account through Sluice. */
export function isOutOfReach({ credentials }: PlacedAccount): boolean {
  return credentials.length === 0;
}

/** Null where such an account looks like an unknown one. */
export function outOfReachRefusal(account: PlacedAccount, user: string, host: string): ClientError | null {
  const bySocket = account.plugins.every((plugin) => SOCKET_PLUGINS.has(plugin));
  return bySocket ? clientError('PROXY_ACCESS_DENIED_NO_PASSWORD', { user, host }) : null;
}

export function unreadRefusal(reason: string): ClientError {
  return clientError('PROXY_ACCOUNTS_UNREAD', { reason });
}

export function accessDenied(user: string, host: string, usedPassword: boolean): ClientError {
  return clientError('PROXY_ACCESS_DENIED', { user, host, usingPassword: usedPassword ? 'YES' : 'NO' });
}

/** The password was right. Null for nothing against it. */
export function loginRefusal(
  account: PlacedAccount,
  client: AcceptedClient,
  { policy, transport, requiresTls, host, nowMs }: LoginCircumstances,
): ClientError | null {
  const { isEncrypted, isLocal, hasCertificate } = transport;
  if (requiresTls && !isEncrypted && !isLocal) return clientError('PROXY_SECURE_TRANSPORT_REQUIRED', {});
  const isMet =
    account.requireTls === TlsRequirement.NONE ||
    (isEncrypted && (account.requireTls === TlsRequirement.SSL || hasCertificate));
  if (!isMet) return accessDenied(client.username, host, client.usedPassword);
  if (account.locked) {
    return policy.flavor === 'mariadb'
      ? clientError('PROXY_ACCOUNT_LOCKED_MARIADB', {})
      : clientError('PROXY_ACCOUNT_LOCKED', { user: client.username, host });
  }
  const knowsExpiry = (client.capabilities & Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS) !== 0;
  if (hasExpired(account, nowMs) && policy.disconnectsExpired && !knowsExpiry)
    return clientError('PROXY_PASSWORD_EXPIRED', {});
  return null;
}

export function hasExpired({ expiresAtMs }: PlacedAccount, nowMs: number): boolean {
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}

export interface ConnectionLimit {
  /** 0 for none. */
  readonly connections: number;
  readonly error: (user: string) => ClientError;
}

/** The account's own limit of the configuration, or the servers' where those hold for clients. */
export function connectionLimit(account: PlacedAccount, accounts: SnapshotAccounts): ConnectionLimit {
  const tooMany = (user: string): ClientError => clientError('PROXY_USER_CONNECTIONS', { user });
  if (account.maxConnections > 0 || !accounts.serverConnectionLimits || account.source === 'config')
    return { connections: account.maxConnections, error: tooMany };
  const { maxUserConnections } = account;
  if (maxUserConnections === 0) return { connections: accounts.policy.maxUserConnections, error: tooMany };
  return {
    connections: maxUserConnections,
    error: (user) => clientError('PROXY_ACCOUNT_CONNECTIONS', { user, limit: maxUserConnections }),
  };
}

/** For the log: what the client is not told. */
export function describeAccount(account: PlacedAccount): { account: string; plugins: readonly string[] } {
  return { account: accountName(account), plugins: account.plugins };
}
