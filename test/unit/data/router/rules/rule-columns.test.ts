/** What each column of a rule matches, and what it does. */

import t from 'tap';
import type { QueryRule } from '../../../../../src/common/query-rule.ts';
import type { RuleSession } from '../../../../../src/data/router/rules/rule-session.ts';
import { ask, digestOf, engineOf, matched, rule } from './made-rules.ts';

const SQL = "SELECT name, price FROM product WHERE id=7 AND state='new'";

type Case = readonly [what: string, Partial<QueryRule>, matches: boolean, Partial<RuleSession>?];

const MATCHING: readonly Case[] = [
  ['nothing is asked', {}, true],
  ['not active', { active: false }, false],
  ['username', { username: 'app' }, true],
  ['another username', { username: 'App' }, false],
  ['an empty username is none', { username: '' }, true],
  ['schemaname', { schemaname: 'shop' }, true],
  ['another schemaname', { schemaname: 'SHOP' }, false],
  ['schemaname, and the session has none', { schemaname: 'shop' }, false, { schema: null }],
  ['client_addr', { clientAddr: '10.0.0.7' }, true],
  ['client_addr is no beginning', { clientAddr: '10.0.0.' }, false],
  ['client_addr with a wildcard', { clientAddr: '10.0.%' }, true],
  ['what stands behind a wildcard does not matter', { clientAddr: '10.0.%.99' }, true],
  ['another network', { clientAddr: '10.1.%' }, false],
  ['all clients', { clientAddr: '%' }, true],
  ['a Unix socket', { clientAddr: 'localhost' }, true, { clientAddress: 'localhost' }],
  ['IPv6', { clientAddr: '2001:db8:%' }, true, { clientAddress: '2001:db8::7' }],
  ['proxy_addr', { proxyAddr: '10.0.0.1' }, true],
  ['another proxy_addr', { proxyAddr: '10.0.0.2' }, false],
  ['proxy_port', { proxyPort: 6033 }, true],
  ['another proxy_port', { proxyPort: 6034 }, false],
  ['proxy_port, through a Unix socket', { proxyPort: 6033 }, false, { proxyAddress: '', proxyPort: 0 }],
  ['digest', { digest: digestOf(SQL) }, true],
  ['digest in small letters', { digest: digestOf(SQL).toLowerCase() }, true],
  ['another digest', { digest: '0x1234567890ABCDEF' }, false],
  ['match_digest', { matchDigest: '^SELECT name' }, true],
  ['match_digest knows no literals', { matchDigest: 'new' }, false],
  ['match_digest, caseless unless told', { matchDigest: '^select NAME' }, true],
  ['match_digest with the case', { matchDigest: '^SELECT NAME', reModifiers: '' }, false],
  [
    "match_digest as ProxySQL's digest is written",
    { matchDigest: 'SELECT name,price .* id=\\? AND state=\\?$' },
    true,
  ],
  [
    "match_digest as Sluice's digest is written",
    { matchDigest: 'name, price .* id = \\? AND state = \\?$' },
    true,
  ],
  ['negated match_digest', { matchDigest: '^SELECT', negateMatchPattern: true }, false],
  ['negated match_digest of others', { matchDigest: '^INSERT', negateMatchPattern: true }, true],
  ['match_pattern', { matchPattern: "state='new'$" }, true],
  ['match_pattern sees the literals', { matchPattern: 'id=\\d' }, true],
  ['match_pattern with the case', { matchPattern: "STATE='new'", reModifiers: 'GLOBAL' }, false],
  ['negated match_pattern', { matchPattern: 'product', negateMatchPattern: true }, false],
  ['both patterns', { matchDigest: 'product', matchPattern: 'id=7' }, true],
  ['both patterns, one of which does not match', { matchDigest: 'product', matchPattern: 'id=8' }, false],
  ['negated, both', { matchDigest: 'customer', matchPattern: 'id=8', negateMatchPattern: true }, true],
  ['flagIN', { flagIn: 3 }, false],
  ['all of it', { username: 'app', schemaname: 'shop', clientAddr: '10.%', matchDigest: 'product' }, true],
  [
    'all but one',
    { username: 'app', schemaname: 'store', clientAddr: '10.%', matchDigest: 'product' },
    false,
  ],
];

t.test('matching', async (t) => {
  for (const [what, values, isMatch, session] of MATCHING)
    t.strictSame(matched([values], SQL, session), isMatch ? [1] : [], what);
});

t.test('comments, blanks and case of what was written make no other digest', async (t) => {
  const rules = [{ matchDigest: '^SELECT .* FOR UPDATE$' }];
  for (const sql of [
    'SELECT a FROM t FOR UPDATE',
    'select a  from t\nfor update -- at the end',
    'SELECT a FROM t FOR UPDATE;',
    'SELECT /* here */ a FROM t FOR /**/ UPDATE\n\n',
  ])
    t.strictSame(matched(rules, sql), [1], sql);
});

t.test('actions: what several rules say, the last one decides', async (t) => {
  const first = rule({
    ruleId: 10,
    destinationHostgroup: 1,
    timeoutMs: 100,
    retries: 1,
    reconnect: true,
    delayMs: 5,
    multiplex: 0,
    mirrorHostgroup: 3,
    mirrorFlagOut: 4,
    log: true,
    nextQueryFlagIn: 5,
    stickyConn: true,
    cacheTtlMs: 6,
    cacheEmptyResult: true,
    cacheTimeoutMs: 7,
    gtidFromHostgroup: 8,
  });
  const said = ask(engineOf({ rules: [first] }), SQL);
  t.match(said, {
    destinationHostgroup: 1,
    timeoutMs: 100,
    retries: 1,
    reconnect: true,
    delayMs: 5,
    multiplex: 0,
    mirrorHostgroup: 3,
    mirrorFlagOut: 4,
    log: true,
    nextFlagIn: 5,
    stickyConn: true,
    caching: { wish: 'weak', ttlMs: 6, staleMs: 0, ruleId: 10, isProxysql: true },
    cacheEmptyResult: true,
    cacheTimeoutMs: 7,
    causalReads: 'session',
    errorMessage: null,
    okMessage: null,
  });
  const second = rule({ ruleId: 20, destinationHostgroup: 0, timeoutMs: 0, log: false, errorMsg: 'no' });
  const both = ask(engineOf({ rules: [second, first] }), SQL);
  t.strictSame(both.rules, [first, second], 'in the order of rule_id');
  t.strictSame(both.hitSlots, [0, 1]);
  t.match(both, {
    destinationHostgroup: 0,
    timeoutMs: 0,
    log: false,
    retries: 1,
    delayMs: 5,
    errorMessage: 'no',
  });
  const last = ask(engineOf({ rules: [{ ...first, apply: true }, second] }), SQL);
  t.match(last, { destinationHostgroup: 1, errorMessage: null }, 'nothing is looked at behind apply');
});

t.test('verdicts are one value for one outcome', async (t) => {
  const engine = engineOf({
    rules: [
      rule({ ruleId: 1, matchDigest: 'FROM t' }),
      rule({ ruleId: 2, matchPattern: '1', destinationHostgroup: 1 }),
    ],
  });
  const one = ask(engine, 'SELECT a FROM t WHERE id = 1');
  t.equal(ask(engine, 'SELECT b FROM t WHERE id = 11'), one, 'other statements, the same rules');
  t.equal(
    ask(engine, 'SELECT a FROM t WHERE id = 1', { username: 'other', clientAddress: '::1' }),
    one,
    'rules do not ask who',
  );
  t.not(ask(engine, 'SELECT a FROM t WHERE id = 2'), one);
  t.equal(ask(engine, 'SELECT a FROM u'), ask(engine, 'SELECT b FROM v'), 'none matches');
});
