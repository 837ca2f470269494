/** Query rules, fast routing and the firewall, in ProxySQL's terms. */
import * as z from 'zod';
import { MAX_FAST_ROUTES, MAX_HOSTGROUP, MAX_QUERY_RULES } from './capacity.ts';
import {
  comment,
  describe,
  integer,
  jsonText,
  MAX_TIMEOUT_MS,
  optionalHostgroup,
  optionalInteger,
  section,
} from './schema-parts.ts';

const MAX_FLAG = 2_147_483_647;
const MAX_RULE_ID = 2_147_483_647;
const DIGEST = /^0x[0-9A-Fa-f]{1,16}$/;

/** Null matches everything, and changes nothing. */
function optionalString(description: string, maxLength = 1024) {
  return describe(z.string().min(1).max(maxLength).nullable().default(null), {
    description,
    defaultText: 'none',
  });
}

function optionalSwitch(description: string) {
  return describe(z.boolean().nullable().default(null), { description, defaultText: 'not said' });
}

function optionalMilliseconds(min: number, description: string) {
  return optionalInteger(min, MAX_TIMEOUT_MS, { description, unit: 'ms' });
}

function digest(description: string) {
  return describe(z.string().regex(DIGEST, 'expected 0x and up to 16 hexadecimal digits'), { description });
}

/** What a statement has to be like for the rule. */
const criteria = {
  username: optionalString('Account of the session.', 128),
  schemaname: optionalString('Schema that the session is in.', 64),
  flagIn: integer(0, MAX_FLAG, 0, {
    description: 'The chain that the rule is in: 0 is where every statement begins.',
  }),
  clientAddr: optionalString('Address of the client; literal up to the first `%`.', 255),
  proxyAddr: optionalString('Address of Sluice that the client has connected to.', 255),
  proxyPort: optionalInteger(0, 65_535, { description: 'Port of Sluice that the client has connected to.' }),
  digest: digest('Digest of the statement, as `stats_mysql_query_digest` shows it.')
    .nullable()
    .default(null)
    .meta({ 'x-default': 'none' }),
  matchDigest: optionalString('Regular expression (RE2) for the digest text.', 65_536),
  matchPattern: optionalString('Regular expression (RE2) for the statement as it was sent.', 65_536),
  negateMatchPattern: describe(z.boolean().default(false), {
    description: 'The rule is for what `matchDigest` and `matchPattern` do not match.',
  }),
  reModifiers: describe(z.string().max(64).default('CASELESS'), {
    description: '`CASELESS`, `GLOBAL` (replace each match), or both with a comma.',
  }),
};

/** What becomes of it. */
const actions = {
  flagOut: optionalInteger(0, MAX_FLAG, {
    description: 'The statement goes on in this chain, behind this rule.',
  }),
  replacePattern: describe(z.string().max(65_536).nullable().default(null), {
    description: 'What is sent instead of what `matchPattern` matches; `\\1` is its first group.',
    defaultText: 'none',
  }),
  destinationHostgroup: optionalHostgroup(
    'Where it goes. What is no proven read goes to the primary whatever the rule says.',
  ),
  cacheTtlMs: optionalMilliseconds(1, 'How long its result is cached.'),
  cacheEmptyResult: optionalSwitch('Whether a result without rows is cached.'),
  cacheTimeoutMs: optionalMilliseconds(0, 'How long a second client waits for the result of the first.'),
  reconnect: optionalSwitch('Kept for tools that write it; of no effect.'),
  timeoutMs: optionalMilliseconds(0, 'The statement is ended after this time.'),
  retries: optionalInteger(0, 1000, {
    description: 'Times that a proven read is tried again after a failure.',
  }),
  delayMs: optionalMilliseconds(0, 'The statement is held back for this long.'),
  nextQueryFlagIn: optionalInteger(0, MAX_FLAG, {
    description: 'The chain that the statements of the session begin in from the next one on.',
  }),
  mirrorFlagOut: optionalInteger(0, MAX_FLAG, { description: 'The chain that the copy begins in.' }),
  mirrorHostgroup: optionalHostgroup('A copy of the statement goes there; its answer is thrown away.'),
  errorMsg: optionalString('The client gets this error instead of an answer.', 65_536),
  okMsg: optionalString('The client gets this OK instead of an answer.', 65_536),
  stickyConn: optionalSwitch('Whether the session keeps the connection of this statement.'),
  multiplex: describe(
    z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .nullable()
      .default(null),
    {
      description:
        '0: the session keeps its connection from here on; 1: no longer; 2: this statement is no reason to.',
      defaultText: 'none',
    },
  ),
  gtidFromHostgroup: optionalHostgroup(
    'Any number: its reads see what their own session has written, as `causal_reads: session` among the attributes.',
  ),
  log: optionalSwitch('Whether the statement is logged.'),
  apply: describe(z.boolean().default(false), { description: 'No other rule is looked at.' }),
};

export const queryRuleSchema = z
  .strictObject({
    ruleId: describe(z.int().min(1).max(MAX_RULE_ID), { description: 'Rules are tried in the order of it.' }),
    active: describe(z.boolean().default(true), { description: '`false`: as if it were not there.' }),
    ...criteria,
    ...actions,
    attributes: jsonText(
      'A mapping: `causal_reads` (`none`, `session` or `table`; see `causalReads.level`), `rate_limit: {per_second, burst}`, and `flagOUTs: [{id, weight}]` for a flagOut by chance.',
    ),
    comment: comment(),
  })
  .meta({ description: 'A query rule.' });

export const fastRouteSchema = z
  .strictObject({
    username: describe(z.string().max(128).default(''), {
      description: 'Account of the session.',
      defaultText: 'all',
    }),
    schemaname: describe(z.string().max(64).default(''), {
      description: 'Schema that the session is in.',
      defaultText: 'none',
    }),
    flagIn: integer(0, MAX_FLAG, 0, { description: 'The chain that the statement has come to.' }),
    destinationHostgroup: describe(z.int().min(0).max(MAX_HOSTGROUP), { description: 'Where it goes.' }),
    comment: comment(),
  })
  .meta({ description: 'Where the statements of an account in a schema go, without looking at them.' });

const firewallUserSchema = z.strictObject({
  active: describe(z.boolean().default(true), { description: '`false`: as if it were not there.' }),
  username: describe(z.string().max(128), { description: 'Account of the session.' }),
  clientAddress: describe(z.string().max(255).default(''), {
    description: 'Address of the client.',
    defaultText: 'all',
  }),
  mode: describe(z.enum(['OFF', 'DETECTING', 'PROTECTING']), {
    description:
      '`PROTECTING`: what no firewall rule allows gets an error; `DETECTING`: it is counted and logged.',
  }),
  comment: comment(),
});

const firewallRuleSchema = z.strictObject({
  active: describe(z.boolean().default(true), { description: '`false`: as if it were not there.' }),
  username: describe(z.string().max(128), { description: 'Account of the session.' }),
  clientAddress: describe(z.string().max(255).default(''), {
    description: 'Address of the client, as in `firewall.users`.',
    defaultText: 'all',
  }),
  schemaname: describe(z.string().max(64).default(''), {
    description: 'Schema that the session is in.',
    defaultText: 'none',
  }),
  flagIn: integer(0, MAX_FLAG, 0, { description: 'The chain that the statement has come to.' }),
  digest: digest('Digest of a statement that is allowed.'),
  comment: comment(),
});

const fingerprintSchema = z.strictObject({
  active: describe(z.boolean().default(true), { description: '`false`: as if it were not there.' }),
  fingerprint: describe(z.string().min(1).max(1024), { description: 'Fingerprint of libinjection.' }),
});

export const queryRulesList = describe(z.array(queryRuleSchema).max(MAX_QUERY_RULES).prefault([]), {
  description: 'What becomes of which statements. None is needed for proven reads to go to the replicas.',
  defaultText: 'none',
});

export const fastRoutingList = describe(z.array(fastRouteSchema).max(MAX_FAST_ROUTES).default([]), {
  description: 'Hostgroups by account and schema, looked up behind the query rules.',
  defaultText: 'none',
});

export const firewallSection = section('White list of statements.', {
  enabled: describe(z.boolean().default(false), { description: 'Whether the firewall looks at statements.' }),
  errorMessage: describe(z.string().min(1).max(1024).default('Firewall blocked this query'), {
    description: 'What a client is told whose statement is blocked.',
  }),
  users: describe(z.array(firewallUserSchema).max(MAX_QUERY_RULES).default([]), {
    description: 'Accounts that it looks at.',
    defaultText: 'none',
  }),
  rules: describe(z.array(firewallRuleSchema).max(MAX_FAST_ROUTES).default([]), {
    description: 'Statements that are allowed.',
    defaultText: 'none',
  }),
  sqliFingerprints: describe(z.array(fingerprintSchema).max(MAX_QUERY_RULES).default([]), {
    description: 'Kept for tools that write them; of no effect.',
    defaultText: 'none',
  }),
});
