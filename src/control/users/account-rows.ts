/** Rows of mysql.user and mysql.global_priv, as the server's text, to accounts. */

import { isWellFormed, type StoredCredential } from '../../../protocol/index.ts';
import { type Account, AccountSource } from '../../common/account.ts';
import { isJsonObject } from '../../common/json-object.ts';
import { TlsRequirement } from '../../common/snapshot.ts';
import type { Row } from '../monitor/monitor-connection.ts';

/** What holds for all accounts of a server. */
export interface AccountDefaults {
  /** `default_password_lifetime`; 0 for never. */
  readonly passwordLifetimeDays: number;
}

interface Authentication {
  readonly plugin: string;
  readonly text: string;
}

const DAY_MS = 86_400_000;
const KINDS: Readonly<Record<string, 'native' | 'sha2' | 'ed25519'>> = {
  '': 'native',
  mysql_native_password: 'native',
  caching_sha2_password: 'sha2',
  ed25519: 'ed25519',
};
/** The numbers are MariaDB's, the names MySQL's. What is not here asks for a certain certificate or cipher. */
const TLS_REQUIREMENTS: Readonly<Record<string, TlsRequirement>> = {
  '': TlsRequirement.NONE,
  '0': TlsRequirement.NONE,
  '1': TlsRequirement.SSL,
  '2': TlsRequirement.X509,
  ANY: TlsRequirement.SSL,
  X509: TlsRequirement.X509,
};

/** Null for a plugin, or a text of one, that cannot be checked here. */
function credentialOf({ plugin, text }: Authentication): StoredCredential | null {
  const kind = KINDS[plugin];
  if (kind === undefined) return null;
  if (text === '') return kind === 'ed25519' ? null : { kind: 'none' };
  const credential = { kind, hash: text };
  return isWellFormed(credential) ? credential : null;
}

interface Fields
  extends Pick<Account, 'username' | 'host' | 'locked' | 'expiresAtMs' | 'maxUserConnections'> {
  /** As the server writes `ssl_type`. */
  readonly tls: string;
}

function accountOf({ tls, ...fields }: Fields, authentications: readonly Authentication[]): Account {
  const requireTls = TLS_REQUIREMENTS[tls];
  if (requireTls === undefined)
    return accountOf({ ...fields, tls: 'X509' }, [{ plugin: 'REQUIRE of a certain certificate', text: '' }]);
  const credentials = authentications.map(credentialOf).filter((credential) => credential !== null);
  return {
    ...fields,
    requireTls,
    source: AccountSource.backend,
    credentials,
    plugins: authentications.map(({ plugin }) => plugin || 'mysql_native_password'),
    defaultSchema: null,
    defaultHostgroup: null,
    causalReads: null,
    fastForward: false,
    maxConnections: 0,
  };
}

/** @param lifetimeDays of the account; null for the server's default, 0 for never */
function expiryOf(
  changedAtMs: number | null,
  lifetimeDays: number | null,
  defaults: AccountDefaults,
): number | null {
  const days = lifetimeDays ?? defaults.passwordLifetimeDays;
  return days <= 0 || changedAtMs === null ? null : changedAtMs + days * DAY_MS;
}

/** MySQL of all versions, and MariaDB before 10.4. Keys are in lower case; columns that a version lacks are missing. */
export function accountOfUserRow(row: Row, defaults: AccountDefaults): Account {
  const changedAt = row.password_last_changed;
  const changedAtMs = changedAt === null || changedAt === undefined ? null : Number(changedAt) * 1000;
  const lifetime = row.password_lifetime ?? null;
  const fields = {
    username: row.user ?? '',
    host: row.host ?? '',
    locked: row.account_locked === 'Y',
    expiresAtMs:
      row.password_expired === 'Y'
        ? 0
        : expiryOf(changedAtMs, lifetime === null ? null : Number(lifetime), defaults),
    tls: row.ssl_type ?? '',
    maxUserConnections: Number(row.max_user_connections ?? 0),
  };
  const plugin = row.plugin ?? '';
  // Before 5.7, and in MariaDB, native hashes are in a column of their own.
  const text = row.authentication_string || (row.password ?? '');
  const attributes = parseObject(row.user_attributes ?? '');
  if (attributes.multi_factor_authentication !== undefined)
    return accountOf(fields, [{ plugin: 'multi_factor_authentication', text: '' }]);
  const second = attributes.additional_password;
  const retained = typeof second === 'string' && second !== '' ? [{ plugin, text: second }] : [];
  return accountOf(fields, [{ plugin, text }, ...retained]);
}

/** MariaDB from 10.4 on. Null for a role. */
export function accountOfPrivilegeRow(row: Row, defaults: AccountDefaults): Account | null {
  const privileges = parseObject(row.priv ?? '');
  if (privileges.is_role === true) return null;
  const changed = privileges.password_last_changed;
  const lifetime = numberOf(privileges.password_lifetime, -1);
  const changedAtMs = typeof changed === 'number' ? changed * 1000 : null;
  const fields = {
    username: row.user ?? '',
    host: row.host ?? '',
    locked: privileges.account_locked === true,
    // PASSWORD EXPIRE is kept as a change at the beginning of time.
    expiresAtMs: changed === 0 ? 0 : expiryOf(changedAtMs, lifetime < 0 ? null : lifetime, defaults),
    tls: String(numberOf(privileges.ssl_type, 0)),
    maxUserConnections: Math.max(0, numberOf(privileges.max_user_connections, 0)),
  };
  return accountOf(fields, alternativesOf(privileges));
}

/** `auth_or` lists them in their order; `{}` stands for the one that is named outside of it. */
function alternativesOf(privileges: Readonly<Record<string, unknown>>): Authentication[] {
  const own = authenticationOf(privileges);
  const others = privileges.auth_or;
  if (!Array.isArray(others)) return [own];
  return others
    .filter(isJsonObject)
    .map((other) => (other.plugin === undefined ? own : authenticationOf(other)));
}

function authenticationOf(fields: Readonly<Record<string, unknown>>): Authentication {
  const { plugin, authentication_string: text } = fields;
  return { plugin: typeof plugin === 'string' ? plugin : '', text: typeof text === 'string' ? text : '' };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
