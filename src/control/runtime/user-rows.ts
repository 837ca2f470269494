/** Accounts as rows. */

import { defaultPair } from '../../../config/hostgroup-pairs.ts';
import type { Config, UserConfig } from '../../../config/schema.ts';
import { userSchema } from '../../../config/users-schema.ts';
import { CAUSAL_LEVELS } from '../../common/causal-level.ts';
import { isJsonObject } from '../../common/json-object.ts';
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

/** The JSON keys that ProxySQL does not have: `{"rate_limit": {"per_second": 10, "burst": 20}, "causal_reads": "table"}`. */
interface Attributes {
  readonly causal_reads?: unknown;
  readonly rate_limit?: { readonly per_second?: unknown; readonly burst?: unknown };
  readonly [name: string]: unknown;
}

function attributesOf(value: unknown): Attributes {
  const content = value === null || value === undefined ? '' : String(value);
  if (content === '') return {};
  try {
    const parsed: unknown = JSON.parse(content);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw new ValueError('expected a JSON object');
}

function writeAttributes(value: unknown, element: Readonly<Record<string, unknown>>): string {
  const { rateLimit, causalReads } = element as Pick<UserConfig, 'rateLimit' | 'causalReads'>;
  if (rateLimit === null && causalReads === null) return value as string;
  return JSON.stringify({
    ...attributesOf(value),
    ...(rateLimit === null
      ? {}
      : { rate_limit: { per_second: rateLimit.perSecond, burst: rateLimit.burst } }),
    ...(causalReads === null ? {} : { causal_reads: causalReads }),
  });
}

function readAttributes(value: unknown): string {
  const attributes = attributesOf(value);
  const { rate_limit: limit, causal_reads: level, ...rest } = attributes;
  if (limit === undefined && level === undefined) return value === null ? '' : String(value);
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

function causalReadsOf(row: NamedRow): UserConfig['causalReads'] {
  const value = attributesOf(row.attributes).causal_reads;
  if (value === undefined || value === null) return null;
  const level = CAUSAL_LEVELS.find((one) => one === value);
  if (level !== undefined) return level;
  throw new ValueError(`attributes.causal_reads: expected one of ${CAUSAL_LEVELS.join(', ')}`);
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
        causalReads: causalReadsOf(row) ?? undefined,
      };
    },
    schema: userSchema,
  };
}
