/** Accounts as rows. */

import { defaultPair } from '../../../config/hostgroup-pairs.ts';
import type { Config, UserConfig } from '../../../config/schema.ts';
import { userSchema } from '../../../config/users-schema.ts';
import { MAX_PER_SECOND } from '../../sql/rules/rule-attributes.ts';
import { flag, integer, integerOf, optionalText, text, ValueError } from './column-mapping.ts';
import type { ElementMapping, NamedRow } from './element-mapping.ts';

/** `'name'@'host'`, with quotes inside doubled. */
const QUALIFIED = /^'((?:[^']|'')*)'@'((?:[^']|'')*)'$/;
const ANY_HOST = '%';

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** The name alone where the account is for all hosts, as ProxySQL has it. */
function nameColumn(username: string, host: string): string {
  return host === ANY_HOST && !username.startsWith("'") ? username : `${quoted(username)}@${quoted(host)}`;
}

function accountOf(column: string): { readonly username: string; readonly host: string } {
  const match = QUALIFIED.exec(column);
  if (match === null) return { username: column, host: ANY_HOST };
  const [, username = '', host = ''] = match.map((part) => part.replaceAll("''", "'"));
  return { username, host };
}

/** The JSON key that ProxySQL does not have: `{"rate_limit": {"per_second": 10, "burst": 20}}`. */
interface Attributes {
  readonly rate_limit?: { readonly per_second?: unknown; readonly burst?: unknown };
  readonly [name: string]: unknown;
}

function attributesOf(value: unknown): Attributes {
  const content = value === null || value === undefined ? '' : String(value);
  if (content === '') return {};
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Attributes;
  } catch {
    // Said below.
  }
  throw new ValueError('expected a JSON object');
}

function writeAttributes(value: unknown, element: Readonly<Record<string, unknown>>): string {
  const rateLimit = element.rateLimit as UserConfig['rateLimit'];
  if (rateLimit === null) return value as string;
  const { perSecond, burst } = rateLimit;
  return JSON.stringify({ ...attributesOf(value), rate_limit: { per_second: perSecond, burst } });
}

function readAttributes(value: unknown): string {
  const attributes = attributesOf(value);
  if (attributes.rate_limit === undefined) return value === null ? '' : String(value);
  const { rate_limit: _, ...rest } = attributes;
  return Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
}

function rateLimitOf(row: NamedRow): UserConfig['rateLimit'] {
  const limit = attributesOf(row.attributes).rate_limit;
  if (limit === undefined || limit === null) return null;
  const isAmount = (value: unknown): value is number =>
    typeof value === 'number' && value > 0 && value <= MAX_PER_SECOND;
  const { per_second: perSecond, burst = Math.max(1, Number(perSecond)) } = limit;
  if (!isAmount(perSecond) || !isAmount(burst) || burst < 1)
    throw new ValueError(
      `attributes.rate_limit: expected {"per_second": number, "burst": number}, each up to ${MAX_PER_SECOND}`,
    );
  return { perSecond, burst };
}

function onlyOne(row: NamedRow): void {
  for (const column of ['frontend', 'backend']) {
    if (Number(row[column] ?? 1) === 1) continue;
    throw new ValueError(
      `column ${column} must be 1: Sluice logs in at the servers as its client has, so that one row is both`,
    );
  }
}

export function userMapping(
  sections: Pick<Config, 'hostgroups' | 'replicationHostgroups'>,
): ElementMapping<UserConfig> {
  const { writer } = defaultPair(sections);
  return {
    table: 'mysql_users',
    key: ['username'],
    columns: {
      username: {
        field: 'username',
        write: (value, { host }) => nameColumn(value as string, host as string),
        read: (value) => accountOf(String(value ?? '')).username,
      },
      password: { ...optionalText('password'), write: (value) => (value as string | null) ?? '' },
      active: flag('active'),
      use_ssl: {
        field: 'requireTls',
        write: (value) => (value === false || value === 'NONE' ? 0 : 1),
        read: (value) => (flag('').read(value) === true ? 'SSL' : 'NONE'),
      },
      default_hostgroup: {
        field: 'defaultHostgroup',
        write: (value) => (value as number | null) ?? writer,
        read: integerOf,
      },
      default_schema: optionalText('defaultSchema'),
      schema_locked: flag('schemaLocked'),
      transaction_persistent: flag('transactionPersistent'),
      fast_forward: flag('fastForward'),
      max_connections: integer('maxConnections'),
      attributes: { field: 'attributes', write: writeAttributes, read: readAttributes },
      comment: text('comment'),
    },
    constants: { frontend: 1, backend: 1 },
    extra: (row) => {
      onlyOne(row);
      return {
        host: accountOf(String(row.username ?? '')).host,
        rateLimit: rateLimitOf(row) ?? undefined,
      };
    },
    schema: userSchema,
  };
}
