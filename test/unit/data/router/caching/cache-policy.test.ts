import t from 'tap';
import type { CacheRule, CacheSettings } from '../../../../../src/common/cache-settings.ts';
import { encodeTableRelations, TableRelations } from '../../../../../src/common/table-relations.ts';
import { tableSlot } from '../../../../../src/common/table-slots.ts';
import {
  type CacheCatalog,
  CachePolicy,
  cacheCatalogOf,
} from '../../../../../src/data/router/caching/cache-policy.ts';
import type { Plan } from '../../../../../src/data/router/plan.ts';
import { PlanCache } from '../../../../../src/data/router/plan-cache.ts';
import {
  NO_RULES,
  type RuledCaching,
  type RuleVerdict,
} from '../../../../../src/data/router/rules/rule-verdict.ts';
import { type TableCatalog, UNKNOWN_TABLES } from '../../../../../src/data/router/table-catalog.ts';
import { digestName } from '../../../../../src/sql/digest-text.ts';
import { makeLexicalContext } from '../../../../../src/sql/lexical-context.ts';
import { MADE_CACHE_RULE, MADE_CACHE_SETTINGS } from '../../../../support/made-cache-settings.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const plans = new PlanCache(1, 1000, { miss: () => {} });

function planOf(sql: string): Plan {
  const buf = Buffer.from(sql);
  return plans.planFor(buf, 0, buf.length, CONTEXT);
}

const SETTINGS = MADE_CACHE_SETTINGS;

function cacheRule(rule: Partial<CacheRule>): CacheRule {
  return { ...MADE_CACHE_RULE, ...rule };
}

const CATALOG: CacheCatalog = {
  complete: true,
  varying: new Set(['shop.now', 'shop.computed']),
  timesOfDay: new Map([
    ['shop.hours', ['at', 'till']],
    ['shop.open_now', null],
  ]),
  isCurrent: () => true,
};
const FEDERATED = tableSlot('shop', 'federated');
const TABLES: TableCatalog = {
  ...UNKNOWN_TABLES,
  version: 1,
  complete: true,
  relations: new TableRelations(encodeTableRelations(new Map([[FEDERATED, null]]), new Map(), new Map())),
  isCurrent: () => true,
};

function policyOf(
  settings: Partial<CacheSettings>,
  catalog: Partial<CacheCatalog> = {},
  tables: Partial<TableCatalog> = {},
): CachePolicy {
  const policy = new CachePolicy();
  policy.update({ ...SETTINGS, ...settings }, { ...CATALOG, ...catalog }, { ...TABLES, ...tables }, 65_536);
  return policy;
}

function ruled(caching: Partial<RuledCaching>, verdict: Partial<RuleVerdict> = {}): RuleVerdict {
  return {
    ...NO_RULES,
    ...verdict,
    caching: { wish: 'weak', ttlMs: null, staleMs: 0, ruleId: 12, isProxysql: false, ...caching },
  };
}

/** `class ttl+stale source`, or why not. */
function said(
  policy: CachePolicy,
  sql: string,
  verdict: RuleVerdict = NO_RULES,
  username = 'app',
  schema: string | null = 'shop',
): string {
  const plan = planOf(sql);
  const { decision, refusal, detail } = policy.verdictOf(plan, verdict, username, schema);
  t.equal(policy.decisionOf(plan, verdict, username, schema), decision, `one answer: ${sql}`);
  if (decision === null) return `no: ${refusal}${detail === '' ? '' : ` (${detail})`}`;
  const { class: name, ttlMs, staleMs, source } = decision;
  return `${name} ${ttlMs}+${staleMs} ${source}`;
}

const STRONG = { rules: [cacheRule({ ruleId: 3 })] };
const WEAK = { rules: [cacheRule({ ruleId: 3, class: 'weak', ttlMs: 50, staleWhileRevalidateMs: 5 })] };

t.test('who decides: hints, query rules, cache.rules, cache.auto', async (t) => {
  const policy = policyOf({ ...WEAK, auto: 'strong' });
  const strong = ruled({ wish: 'strong' });
  t.equal(said(policy, 'SELECT a FROM t /* sluice:cache=immutable */', strong), 'immutable 0+0 hint');
  t.equal(said(policy, 'SELECT a FROM t /* sluice:cache=off */', strong), 'no: hint-off (hint)');
  t.equal(said(policy, 'SELECT a FROM t /* sluice:nocache cache=strong */', strong), 'no: hint-off (hint)');
  t.equal(said(policy, '/*;cache_ttl=9*/ SELECT a FROM t', strong), 'weak 9+0 hint');
  t.equal(said(policy, 'SELECT a FROM t /* sluice:cache=weak */', strong), 'no: hint-without-ttl');
  t.equal(said(policy, 'SELECT a FROM t', strong), 'strong 0+0 rule 12');
  t.equal(said(policy, 'SELECT a FROM t', ruled({ wish: 'off' })), 'no: rule-off (rule 12)');
  t.equal(said(policy, 'SELECT a FROM t', ruled({ ttlMs: 7, staleMs: 8 })), 'weak 7+8 rule 12');
  t.equal(said(policy, 'SELECT a FROM t'), 'weak 50+5 cache rule 3');
  t.equal(said(policyOf({ auto: 'strong' }), 'SELECT a FROM t'), 'strong 0+0 auto');
  t.equal(said(policyOf({}), 'SELECT a FROM t'), 'no: no-rule');
  t.equal(said(policyOf({ ...WEAK, enabled: false }), 'SELECT a FROM t'), 'no: disabled');
  t.equal(
    said(policyOf({ rules: [cacheRule({ class: 'off' })], auto: 'strong' }), 'SELECT a FROM t'),
    'no: rule-off (cache rule 1)',
  );
});

t.test("cache_ttl, and ProxySQL's own settings for it", async (t) => {
  const proxysql = ruled({ ttlMs: 1000, isProxysql: true });
  t.equal(said(policyOf({}), 'SELECT a FROM t', proxysql), 'weak 1000+0 rule 12');
  t.equal(said(policyOf({ softTtlPercent: 60 }), 'SELECT a FROM t', proxysql), 'weak 600+400 rule 12');
  t.equal(
    said(policyOf({ softTtlPercent: 60 }), 'SELECT a FROM t', ruled({ ttlMs: 1000 })),
    'weak 1000+0 rule 12',
  );
  const plan = planOf('SELECT b FROM t');
  const policy = policyOf({ storesEmptyResults: false, storesWarnings: true, waitMs: 3 });
  t.match(policy.decisionOf(plan, proxysql, 'app', 'shop'), {
    cacheEmpty: false,
    cacheWarnings: true,
    waitMs: 3,
    auto: null,
  });
  const detailed = ruled({ ttlMs: 5 }, { cacheEmptyResult: true, cacheTimeoutMs: 0 });
  t.match(policy.decisionOf(plan, detailed, 'app', 'shop'), { cacheEmpty: true, waitMs: 0 });
});

t.test('cache.rules: the first one that fits, in the order of their numbers', async (t) => {
  const sql = 'SELECT a FROM items WHERE id = 5';
  const fits = (rule: Partial<CacheRule>, username = 'app', schema = 'shop'): boolean =>
    said(policyOf({ rules: [cacheRule(rule)] }), sql, NO_RULES, username, schema) ===
    'strong 0+0 cache rule 1';
  const digest = digestName(planOf(sql).normalized);
  for (const [rule, expected] of [
    [{}, true],
    [{ active: false }, false],
    [{ digest }, true],
    [{ digest: digest.toLowerCase() }, true],
    [{ digest: '0x1' }, false],
    [{ matchDigest: '^select a from ITEMS' }, true],
    [{ matchDigest: 'id=\\?' }, true],
    [{ matchDigest: '5' }, false],
    [{ user: 'app' }, true],
    [{ user: 'App' }, false],
    [{ schema: 'shop' }, true],
    [{ schema: 'other' }, false],
    [{ tables: ['shop.items'] }, true],
    [{ tables: ['Shop.Items'] }, true],
    [{ tables: ['shop.*'] }, true],
    [{ tables: ['other.*', 'shop.orders'] }, false],
    [{ user: 'app', schema: 'shop', digest, matchDigest: 'items', tables: ['shop.*'] }, true],
    [{ user: 'app', schema: 'other', digest }, false],
  ] as const)
    t.equal(fits(rule), expected, JSON.stringify(rule));
  const several = policyOf({
    rules: [
      cacheRule({ ruleId: 9, class: 'immutable' }),
      cacheRule({ ruleId: 2, user: 'report', class: 'weak', ttlMs: 10 }),
      cacheRule({ ruleId: 4, tables: ['shop.items'] }),
    ],
  });
  t.equal(said(several, sql), 'strong 0+0 cache rule 4');
  t.equal(said(several, sql, NO_RULES, 'report'), 'weak 10+0 cache rule 2');
  t.equal(said(several, sql, NO_RULES, 'app', 'other'), 'immutable 0+0 cache rule 9');
  t.equal(
    said(several, 'SELECT a FROM items, users'),
    'immutable 0+0 cache rule 9',
    'a table that it does not name',
  );
  t.equal(said(several, 'SELECT a FROM items, shop.items x'), 'strong 0+0 cache rule 4');
});

t.test('what the text forbids, whoever asks', async (t) => {
  for (const settings of [STRONG, WEAK, { auto: 'strong' } as const]) {
    const policy = policyOf(settings);
    t.equal(said(policy, 'SELECT NOW() FROM t'), 'no: clock (NOW)');
    t.equal(said(policy, 'SELECT SQL_NO_CACHE a FROM t'), 'no: sql-no-cache (SQL_NO_CACHE)');
    t.equal(said(policy, 'SELECT 1'), 'no: no-tables');
    t.equal(said(policy, 'SHOW TABLES'), 'no: not-a-select (SHOW_TABLES)');
    t.match(said(policy, 'SELECT a FROM t FOR UPDATE'), 'no: not-a-proven-read');
    t.match(said(policy, 'SELECT f(a) FROM t'), 'no: not-a-proven-read');
    t.match(said(policy, 'UPDATE t SET a = 1'), 'no: not-a-proven-read');
    t.match(said(policy, 'SELECT a FROM t', NO_RULES, 'app', null), 'no: not-a-proven-read (no schema)');
    t.match(
      said(policy, 'SELECT a FROM t', NO_RULES, 'app', 'mysql'),
      'no: not-a-proven-read (system-schema)',
    );
  }
});

t.test('what tables and views forbid', async (t) => {
  const strong = policyOf(STRONG);
  const weak = policyOf(WEAK);
  for (const policy of [strong, weak]) {
    t.equal(said(policy, 'SELECT a FROM t JOIN NOW'), 'no: varying-table (shop.now)');
    t.equal(
      said(policy, 'SELECT a FROM shop.computed', NO_RULES, 'app', 'x'),
      'no: varying-table (shop.computed)',
    );
  }
  t.equal(said(strong, 'SELECT id, at FROM hours ORDER BY at'), 'strong 0+0 cache rule 3', 'as it is stored');
  t.equal(said(strong, 'SELECT id FROM hours WHERE at < moment'), 'no: time-of-day (shop.hours)');
  t.equal(said(strong, 'SELECT id FROM t, shop.HOURS h WHERE h.Till > t.a'), 'no: time-of-day (shop.hours)');
  t.equal(said(strong, 'SELECT id FROM hours UNION SELECT a FROM t'), 'no: time-of-day (shop.hours)');
  t.equal(said(strong, 'SELECT id FROM open_now'), 'no: time-of-day (shop.open_now)', 'whatever it reads');
  t.equal(
    said(weak, 'SELECT id FROM hours WHERE at < moment'),
    'weak 50+5 cache rule 3',
    'it is no older than its time to live',
  );
  t.equal(said(strong, 'SELECT TIMEDIFF(a, b) FROM t'), 'no: time-of-day (TIMEDIFF)');
  t.equal(said(weak, 'SELECT TIMEDIFF(a, b) FROM t'), 'weak 50+5 cache rule 3');
  t.equal(said(strong, 'SELECT a FROM federated'), 'no: foreign-engine');
  t.equal(said(policyOf(STRONG, { complete: false }), 'SELECT a FROM t'), 'no: schema-unknown');
  t.equal(said(policyOf(WEAK, { complete: false }), 'SELECT a FROM t'), 'no: schema-unknown');
  t.equal(said(policyOf(STRONG, {}, { complete: false }), 'SELECT a FROM t'), 'no: schema-unknown');
  t.equal(said(policyOf(WEAK, {}, { complete: false }), 'SELECT a FROM t'), 'weak 50+5 cache rule 3');
  t.strictSame(
    cacheCatalogOf(
      {
        complete: true,
        incompleteReason: '',
        unsafeViews: [],
        varying: null,
        timesOfDay: [],
        tables: {} as never,
      },
      () => true,
    ).complete,
    false,
    'columns that could not be read',
  );
});

t.test('while the schema is being read again nothing is cached, without asking anew', async (t) => {
  let viewsAreCurrent = true;
  let tablesAreCurrent = true;
  const policy = policyOf(
    STRONG,
    { isCurrent: () => viewsAreCurrent },
    { isCurrent: () => tablesAreCurrent },
  );
  t.equal(said(policy, 'SELECT z FROM t'), 'strong 0+0 cache rule 3');
  viewsAreCurrent = false;
  t.equal(said(policy, 'SELECT z FROM t'), 'no: schema-changing');
  viewsAreCurrent = true;
  tablesAreCurrent = false;
  t.equal(said(policy, 'SELECT z FROM t'), 'no: schema-changing');
  t.equal(said(policy, 'SELECT z FROM federated'), 'no: schema-changing', 'judged meanwhile');
  tablesAreCurrent = true;
  t.equal(said(policy, 'SELECT z FROM t'), 'strong 0+0 cache rule 3');
  t.equal(said(policy, 'SELECT z FROM federated'), 'no: foreign-engine');
});

t.test('hints that ask for freshness are answered by what is proven fresh only', async (t) => {
  for (const hint of ['primary', 'max_lag_ms=100', 'causal=session', 'causal=table', 'min_gtid=0-1-1']) {
    const sql = `SELECT a FROM t /* sluice:${hint} */`;
    t.equal(said(policyOf(WEAK), sql), 'no: hint-off (hint)', hint);
    t.equal(said(policyOf(STRONG), sql), 'strong 0+0 cache rule 3', hint);
  }
  for (const hint of ['replica', 'hostgroup=1', 'causal=none'])
    t.equal(said(policyOf(WEAK), `SELECT a FROM t /* sluice:${hint} */`), 'weak 50+5 cache rule 3', hint);
});

t.test('an answer is kept with the plan until settings or schema are others', async (t) => {
  const policy = policyOf(STRONG);
  const plan = planOf('SELECT kept FROM t');
  const ask = (username = 'app', schema = 'shop', verdict = NO_RULES) =>
    policy.decisionOf(plan, verdict, username, schema);
  const first = ask();
  t.ok(first);
  t.equal(ask('other'), first, 'no rule asks for the account');
  const verdicts = Array.from({ length: 200 }, (_, index) => ruled({ wish: 'immutable', ruleId: index }));
  for (const schema of ['shop', 'other'])
    for (const verdict of verdicts)
      t.match(ask('app', schema, verdict), { source: verdict.caching && `rule ${verdict.caching.ruleId}` });
  t.match(ask(), { source: 'cache rule 3' }, 'of many answers some are forgotten, none is mixed up');
  policy.update({ ...SETTINGS, ...WEAK }, CATALOG, TABLES, 65_536);
  t.match(ask(), { class: 'weak', ttlMs: 50 });
  policy.update({ ...SETTINGS, ...WEAK }, { ...CATALOG, varying: new Set(['shop.t']) }, TABLES, 65_536);
  t.equal(ask(), null);
});

t.test('auto: one estimate for a plan, whoever asks', async (t) => {
  const policy = policyOf({ auto: 'strong' });
  const plan = planOf('SELECT a FROM auto_table WHERE b = 1');
  const decision = policy.decisionOf(plan, NO_RULES, 'app', 'shop');
  t.ok(decision?.auto);
  t.equal(policy.decisionOf(plan, NO_RULES, 'other', 'other')?.auto, decision?.auto);
  t.equal(
    policy.decisionOf(plan, ruled({ wish: 'strong' }), 'app', 'shop')?.auto,
    null,
    'a rule need not pay',
  );
});

t.test('a hint for strong is told once, for the follower', async (t) => {
  let told = 0;
  const policy = new CachePolicy(() => told++);
  policy.update({ ...SETTINGS, ...STRONG }, CATALOG, TABLES, 65_536);
  policy.decisionOf(planOf('SELECT a FROM t'), NO_RULES, 'app', 'shop');
  t.equal(told, 0, 'rules are in the configuration');
  for (let i = 0; i < 3; i++)
    policy.decisionOf(planOf('SELECT a FROM t /* sluice:cache=strong */'), NO_RULES, 'app', 'shop');
  t.equal(told, 1);
});
