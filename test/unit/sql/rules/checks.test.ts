/** What is refused at LOAD, with table, key and column; and what is only warned of. */

import t from 'tap';
import { FirewallMode, type QueryRule } from '../../../../src/common/query-rule.ts';
import {
  canonicalDigest,
  checkQueryRules,
  problemText,
} from '../../../../src/sql/rules/query-rule-checks.ts';
import { parseAttributes } from '../../../../src/sql/rules/rule-attributes.ts';
import { warmPatterns } from '../../../../src/sql/rules/warm-patterns.ts';
import { NO_FIREWALL, rule } from '../../data/router/rules/made-rules.ts';

const HOSTGROUPS = new Set([1, 0, 20]);

function check(rules: readonly Partial<QueryRule>[]) {
  const numbered = rules.map((values, index) => rule({ ruleId: index + 1, ...values }));
  return checkQueryRules({ rules: numbered, fastRouting: [], firewall: NO_FIREWALL }, HOSTGROUPS);
}

t.test('good rules', async (t) => {
  const rules = [
    { matchDigest: '^SELECT', destinationHostgroup: 1, flagOut: 3 },
    { flagIn: 3, matchPattern: '(a)', replacePattern: '\\1', mirrorHostgroup: 20, digest: '0xab' },
    { attributes: '{"rate_limit": {"per_second": 0.5}, "other": 1}', flagOut: 99, apply: true },
  ];
  t.strictSame(check(rules), { errors: [], warnings: [] });
});

type Bad = readonly [Partial<QueryRule>, column: string, message: RegExp];

const BAD: readonly Bad[] = [
  [{ matchDigest: '(?!a)' }, 'match_digest', /RE2 has no look-around/],
  [{ matchPattern: '(' }, 'match_pattern', /missing closing \)/],
  [{ reModifiers: 'CASELES' }, 're_modifiers', /expected CASELESS, GLOBAL or both, not 'CASELES'/],
  [{ replacePattern: 'a' }, 'replace_pattern', /there is none/],
  [
    { matchPattern: '(a)', replacePattern: '\\2' },
    'replace_pattern',
    /\\2 names no group: match_pattern has 1/,
  ],
  [{ matchPattern: 'a', replacePattern: 'a\\n' }, 'replace_pattern', /a backslash is followed by/],
  [{ matchPattern: 'a', replacePattern: 'b', negateMatchPattern: true }, 'replace_pattern', /negate/],
  [{ digest: '1234' }, 'digest', /expected 0x/],
  [{ proxyPort: 70_000 }, 'proxy_port', /70000/],
  [{ destinationHostgroup: 7 }, 'destination_hostgroup', /there is no hostgroup 7; there are 0, 1, 20/],
  [{ mirrorHostgroup: 8 }, 'mirror_hostgroup', /there is no hostgroup 8/],
  [{ attributes: '[]' }, 'attributes', /expected a JSON object/],
  [{ attributes: '{' }, 'attributes', /expected a JSON object/],
  [{ attributes: '{"rate_limit": 5}' }, 'attributes', /"per_second": number/],
  [{ attributes: '{"rate_limit": {"per_second": 0}}' }, 'attributes', /per_second/],
  [{ attributes: '{"rate_limit": {"per_second": 1, "burts": 2}}' }, 'attributes', /not "burts"/],
  [{ attributes: '{"rate_limit": {"per_second": 1, "burst": 0}}' }, 'attributes', /burst at least 1/],
  [{ attributes: '{"flagOUTs": [{"id": 1}]}' }, 'attributes', /"weight": number/],
];

t.test('bad rules', async (t) => {
  for (const [values, column, message] of BAD) {
    const { errors } = check([{}, values]);
    t.equal(errors.length, 1, column);
    t.match(errors[0], { table: 'mysql_query_rules', key: 'rule_id=2', column, message });
    t.strictSame(check([{}, { ...values, active: false }]).errors, [], 'what is not active does no harm');
  }
  const { errors } = check([{ ruleId: 5 }, { ruleId: 5 }, { matchDigest: '[' }]);
  t.strictSame(errors.map(problemText), [
    'mysql_query_rules rule_id=5, column rule_id: another rule has the same number',
    'mysql_query_rules rule_id=3, column match_digest: missing closing ]: `[`',
  ]);
});

t.test('loops of flags', async (t) => {
  const flagErrors = (rules: readonly Partial<QueryRule>[]) => check(rules).errors.map(problemText);
  t.match(flagErrors([{ flagOut: 1 }, { flagIn: 1, flagOut: 0 }]), [
    /^mysql_query_rules rule_id=2, column flagOUT: flagOUT 0 leads back to rule 1: a loop/,
  ]);
  t.match(flagErrors([{ flagOut: 0 }]), [
    /rule_id=1, column flagOUT: flagOUT 0 leads back to rule 1: a loop/,
  ]);
  t.match(
    flagErrors([
      { flagOut: 1 },
      { flagIn: 1, flagOut: 2 },
      { flagIn: 2, flagOut: 3 },
      { flagIn: 3, flagOut: 1 },
    ]),
    [/rule_id=4, column flagOUT: flagOUT 1 leads back to rule 2: a loop/],
  );
  t.strictSame(
    flagErrors([{ flagOut: 1 }, { flagIn: 1, flagOut: 0 }, { flagIn: 0 }]),
    [],
    'back to the main chain, further on',
  );
  t.strictSame(flagErrors([{ flagOut: 1 }, { flagIn: 1, flagOut: 0, apply: true }]), [], 'apply ends it');
  t.strictSame(flagErrors([{ flagOut: 7 }]), [], 'a flag for fast routing');
  const dead = check([{ flagIn: 5 }, { flagOut: 5 }]);
  t.strictSame(dead.errors, []);
  t.match(dead.warnings, [{ key: 'rule_id=2', column: 'flagOUT', message: /rules before it only \(1\)/ }]);
  t.match(flagErrors([{ attributes: '{"flagOUTs": [{"id": 0, "weight": 1}]}' }]), [/a loop/]);
});

t.test('caching: what contradicts itself', async (t) => {
  const fine = check([
    { ruleId: 1, cacheTtlMs: 5, cacheEmptyResult: true, cacheTimeoutMs: 0 },
    { ruleId: 2, attributes: '{"cache": {"class": "strong"}}' },
    { ruleId: 3, attributes: '{"cache": {"ttl_ms": 5, "stale_while_revalidate_ms": 5}}' },
    { ruleId: 4, cacheTtlMs: 5, attributes: '{"cache": {"class": "weak", "stale_while_revalidate_ms": 5}}' },
    { ruleId: 5, attributes: '{"cache": {"class": "off"}}' },
  ]);
  t.strictSame(fine, { errors: [], warnings: [] });
  const warned = check([
    { ruleId: 1, cacheTtlMs: 5, attributes: '{"cache": {"class": "strong"}}' },
    { ruleId: 2, cacheTtlMs: 5, attributes: '{"cache": {"ttl_ms": 7}}' },
  ]);
  t.strictSame(warned.errors, []);
  t.match(warned.warnings, [
    { key: 'rule_id=1', column: 'cache_ttl', message: /without effect: .* the class is strong/ },
    { key: 'rule_id=2', column: 'cache_ttl', message: /have a "ttl_ms"/ },
  ]);
  const wrong = [
    [{ cacheTtlMs: 0 }, 'cache_ttl', /more than 0, not 0/],
    [{ cacheTtlMs: -1 }, 'cache_ttl', /more than 0, not -1/],
    [{ cacheTimeoutMs: -1 }, 'cache_timeout', /not -1/],
    [{ attributes: '{"cache": {"class": "weak"}}' }, 'attributes', /weak of "cache" needs "ttl_ms"/],
    [{ attributes: '{"cache": {"class": "storng"}}' }, 'attributes', /one of strong, weak, immutable, off/],
    [{ attributes: '{"cache": {}}' }, 'attributes', /one of strong/],
    [{ attributes: '{"cache": true}' }, 'attributes', /expected "cache": \{/],
    [{ attributes: '{"cache": {"ttl": 5}}' }, 'attributes', /not "ttl"/],
    [{ attributes: '{"cache": {"ttl_ms": 0}}' }, 'attributes', /"ttl_ms" of "cache" to be milliseconds/],
    [{ attributes: '{"cache": {"ttl_ms": "5"}}' }, 'attributes', /"ttl_ms" of "cache" to be milliseconds/],
    [
      { attributes: '{"cache": {"ttl_ms": 5, "stale_while_revalidate_ms": -1}}' },
      'attributes',
      /"stale_while_rev/,
    ],
    [
      { attributes: '{"cache": {"class": "strong", "ttl_ms": 5}}' },
      'attributes',
      /for the class weak, not for strong/,
    ],
  ] as const;
  for (const [rule, column, message] of wrong)
    t.match(check([rule]).errors, [{ column, message }], JSON.stringify(rule));
});

t.test('fast routing and firewall', async (t) => {
  const route = { username: 'a', schemaname: 's', flagIn: 0, destinationHostgroup: 1, comment: '' };
  const user = { active: true, username: 'a', clientAddress: '', mode: FirewallMode.OFF, comment: '' };
  const allowed = {
    active: true,
    username: 'a',
    clientAddress: '',
    schemaname: '',
    flagIn: 0,
    digest: '0xq',
    comment: '',
  };
  const { errors } = checkQueryRules(
    {
      rules: [],
      fastRouting: [route, { ...route, destinationHostgroup: 9 }],
      firewall: {
        enabled: true,
        errorMessage: '',
        users: [user, user],
        rules: [allowed, { ...allowed, active: false }],
      },
    },
    HOSTGROUPS,
  );
  t.strictSame(errors.map(problemText), [
    "mysql_query_rules_fast_routing username='a' schemaname='s' flagIN=0, column username: there is such an entry already",
    "mysql_query_rules_fast_routing username='a' schemaname='s' flagIN=0, column destination_hostgroup: there is no hostgroup 9; there are 0, 1, 20",
    "mysql_firewall_whitelist_users username='a' client_address='', column username: there is such an entry already",
    "mysql_firewall_whitelist_rules username='a' client_address='', column digest: expected 0x and up to 16 hexadecimal digits, not '0xq'",
  ]);
});

t.test('digests and attributes', async (t) => {
  t.equal(canonicalDigest('0xabc'), '0x0000000000000ABC');
  t.equal(canonicalDigest('abc'), null);
  t.equal(canonicalDigest('0x12345678901234567'), null);
  t.strictSame(parseAttributes('  '), {
    caching: null,
    causalReads: null,
    rateLimit: null,
    flagOuts: [],
  });
  t.equal(parseAttributes('{"causal_reads":"session"}').causalReads, 'session');
  for (const wrong of ['"tables"', 'null', '1', '["table"]'])
    t.throws(() => parseAttributes(`{"causal_reads":${wrong}}`), /one of none, session, table/);
  t.strictSame(parseAttributes('{"rate_limit":{"per_second":20}}').rateLimit, { perSecond: 20, burst: 20 });
  t.strictSame(parseAttributes('{"rate_limit":{"per_second":0.1}}').rateLimit, { perSecond: 0.1, burst: 1 });
});

t.test('five thousand rules are checked while others have their turns', async (t) => {
  const rules = Array.from({ length: 5000 }, (_, index) =>
    rule({ ruleId: index + 1, matchDigest: `^SELECT .* FROM checked_${index} WHERE id ?= ?\\?` }),
  );
  let turns = 0;
  const turn = (): void => {
    turns++;
    immediate = setImmediate(turn);
  };
  let immediate = setImmediate(turn);
  await warmPatterns(rules);
  clearImmediate(immediate);
  t.ok(turns > 20, `${turns} turns of the event loop`);
  const before = process.cpuUsage();
  t.strictSame(checkQueryRules({ rules, fastRouting: [], firewall: NO_FIREWALL }, HOSTGROUPS).errors, []);
  const { user, system } = process.cpuUsage(before);
  t.ok(user + system < 500_000, 'and then known');
});
