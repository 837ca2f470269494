/** Rules on their way to a worker and in it: encoding, slices, hits, buckets, the shadow, memory of plans. */

import t from 'tap';
import type { QueryRuleSet } from '../../../../../src/common/query-rule.ts';
import { RateBuckets } from '../../../../../src/common/rate-buckets.ts';
import { RuleHits } from '../../../../../src/common/rule-hits.ts';
import { decodeRuleSet, encodeRuleSet } from '../../../../../src/common/rule-set-encoding.ts';
import type { SnapshotRules } from '../../../../../src/common/snapshot.ts';
import { FirewallLog } from '../../../../../src/data/router/rules/firewall-log.ts';
import { ShadowComparison } from '../../../../../src/data/router/rules/shadow-comparison.ts';
import { WorkerRules } from '../../../../../src/data/router/rules/worker-rules.ts';
import { waitUntil } from '../../../../support/wait-until.ts';
import { ask, digestOf, engineOf, NO_FIREWALL, planOf, rule, ruleSet, SESSION } from './made-rules.ts';

const MAX_TEXT_BYTES = 65_536;
const unexpected = (_level: string, message: string): void => {
  throw new Error(message);
};

function decoded(set: QueryRuleSet): QueryRuleSet {
  const lines = decodeRuleSet(encodeRuleSet(set));
  for (;;) {
    const step = lines.next();
    if (step.done === true) return step.value;
  }
}

function published(version: number, set: QueryRuleSet): SnapshotRules {
  const hits = RuleHits.allocate(2, set.rules.length).buffer;
  return { version, encoded: encodeRuleSet(set), hits, buckets: RateBuckets.allocate(4).buffer };
}

t.test('a set comes through as it is', async (t) => {
  const rules = Array.from({ length: 200 }, (_, index) =>
    rule({ ruleId: index + 1, matchDigest: `"ä€\n${index}`, active: index % 2 === 0, okMsg: '', flagOut: 0 }),
  );
  const set = ruleSet({
    rules,
    fastRouting: [{ username: '', schemaname: 's', flagIn: 1, destinationHostgroup: 2, comment: '' }],
    firewall: {
      enabled: true,
      errorMessage: 'no',
      users: [{ active: true, username: 'u', clientAddress: '', mode: 'DETECTING', comment: '' }],
      rules: [
        {
          active: true,
          username: 'u',
          clientAddress: '',
          schemaname: '',
          flagIn: 0,
          digest: '0x1',
          comment: '',
        },
      ],
    },
    userRateLimits: [{ username: 'u', perSecond: 1, burst: 2 }],
    shadow: { rules: [rule({ ruleId: 9, log: false })], fastRouting: [] },
  });
  t.strictSame(decoded(set), set);
  t.strictSame(decoded(ruleSet()), ruleSet());
});

t.test('a thousand rules are made ready in slices, and take effect together', async (t) => {
  const rules = new WorkerRules(1, unexpected);
  const first = ruleSet({ rules: [rule({ ruleId: 1, matchDigest: '^SELECT', errorMsg: 'old' })] });
  const applied: string[] = [];
  rules.update(published(1, first), MAX_TEXT_BYTES, true, () => applied.push('one'));
  t.strictSame(applied, ['one'], 'at the start they are there at once');
  const many = Array.from({ length: 2000 }, (_, index) =>
    rule({ ruleId: index + 1, matchDigest: `^SELECT [a-z]+ FROM t${index}`, errorMsg: 'new' }),
  );
  const second = published(2, ruleSet({ rules: [...many, rule({ ruleId: 5000, errorMsg: 'new' })] }));
  rules.update(second, MAX_TEXT_BYTES, false, () => applied.push('two'));
  t.strictSame(applied, ['one']);
  t.equal(ask(rules.engine!, 'SELECT 1').errorMessage, 'old', 'until all are ready');
  rules.update(second, MAX_TEXT_BYTES, false, () => applied.push('three'));
  await waitUntil('the new rules are in force', () => applied.length > 1);
  t.strictSame(applied, ['one', 'three'], 'the newest snapshot is told');
  t.equal(ask(rules.engine!, 'SELECT 1').errorMessage, 'new');
  rules.update(second, MAX_TEXT_BYTES, false, () => applied.push('four'));
  t.strictSame(applied.slice(2), ['four'], 'nothing to do');
  const third = published(3, first);
  const fourth = published(4, ruleSet({ rules: [rule({ ruleId: 7, errorMsg: 'last' })] }));
  rules.update(second, 1024, false, () => applied.push('overtaken'));
  rules.update(third, MAX_TEXT_BYTES, false, () => applied.push('overtaken'));
  rules.update(fourth, MAX_TEXT_BYTES, false, () => applied.push('five'));
  await waitUntil('the last rules are in force', () => applied.includes('five'));
  t.notOk(applied.includes('overtaken'));
  t.equal(ask(rules.engine!, 'SELECT 1').errorMessage, 'last');
  rules.update({ version: 5, encoded: null, hits: null, buckets: null }, MAX_TEXT_BYTES, false, () =>
    applied.push('none'),
  );
  await waitUntil('there are none', () => applied.includes('none'));
  t.equal(rules.engine, null);
});

t.test('rules that nobody has checked leave those in force as they are', async (t) => {
  const lines: unknown[] = [];
  const rules = new WorkerRules(0, (level, message, { reason }) => lines.push([level, message, reason]));
  rules.update(
    published(1, ruleSet({ rules: [rule({ errorMsg: 'old' })] })),
    MAX_TEXT_BYTES,
    true,
    () => undefined,
  );
  let isTold = false;
  const bad = published(2, ruleSet({ rules: [rule({ matchPattern: '(' })] }));
  rules.update(bad, MAX_TEXT_BYTES, false, () => {
    isTold = true;
  });
  await waitUntil('it is over', () => isTold);
  t.equal(ask(rules.engine!, 'SELECT 1').errorMessage, 'old');
  t.match(lines, [['error', 'the query rules could not be made ready', /missing closing/]]);
});

t.test('hits are counted for each worker, and read over all', async (t) => {
  const set = ruleSet({
    rules: [
      rule({ ruleId: 3 }),
      rule({ ruleId: 2, matchDigest: 'FROM t' }),
      rule({ ruleId: 1, active: false }),
    ],
  });
  const snapshot = published(1, set);
  for (const worker of [0, 1]) {
    const rules = new WorkerRules(worker, unexpected);
    rules.update(snapshot, MAX_TEXT_BYTES, true, () => undefined);
    rules.count(ask(rules.engine!, 'SELECT 1'));
    rules.count(ask(rules.engine!, 'SELECT a FROM t'));
  }
  const hits = new RuleHits(snapshot.hits!, 2);
  t.equal(hits.total(0), 2, 'rule 2');
  t.equal(hits.total(1), 4, 'rule 3');
});

t.test('buckets', async (t) => {
  const buckets = RateBuckets.allocate(3);
  const limit = { name: 'one', perSecond: 10, burst: 3, slot: 1 };
  const second = 1_000_000_000n;
  let now = 50n * second;
  const take = (): boolean => buckets.take(limit, now);
  t.strictSame([take(), take(), take(), take()], [true, true, true, false], 'full at the beginning');
  now += second / 10n;
  t.strictSame([take(), take()], [true, false], 'one comes in a tenth of a second');
  now += 3600n * second;
  t.strictSame([take(), take(), take(), take()], [true, true, true, false], 'no more than it holds');
  buckets.giveBack(limit);
  t.strictSame([take(), take()], [true, false]);
  const other = RateBuckets.allocate(1);
  other.copyFrom(buckets, { ...limit, slot: 0 }, limit, now);
  t.notOk(other.take({ ...limit, slot: 0 }, now), 'a new table goes on from the old one');
  const tiny = { name: 'tiny', perSecond: 0.001, burst: 1, slot: 2 };
  t.strictSame(
    [
      buckets.take(tiny, now),
      buckets.take(tiny, now + 999n * second),
      buckets.take(tiny, now + 1000n * second),
    ],
    [true, false, true],
  );
});

t.test('of several limits, a statement that one refuses takes nothing of the others', async (t) => {
  const attributes = '{"rate_limit": {"per_second": 0.001, "burst": 1}}';
  const set = ruleSet({
    rules: [rule({ ruleId: 1, matchDigest: 'FROM t', attributes })],
    userRateLimits: [{ username: 'app', perSecond: 0.001, burst: 2 }],
  });
  const rules = new WorkerRules(0, unexpected);
  rules.update(published(1, set), MAX_TEXT_BYTES, true, () => undefined);
  const run = (sql: string): string | null => rules.takeTokens(ask(rules.engine!, sql))?.name ?? null;
  t.equal(run('SELECT a FROM t'), null);
  t.equal(run('SELECT a FROM t'), 'rule 1');
  t.equal(run('SELECT a FROM t'), 'rule 1');
  t.equal(run('SELECT a FROM u'), null, "the user's second one");
  t.equal(run('SELECT a FROM u'), "user 'app'");
  t.strictSame(ask(rules.engine!, 'SELECT 1', { username: 'other' }).rateLimits, [], 'others have none');
});

t.test('the firewall', async (t) => {
  const entry = { active: true, comment: '', clientAddress: '' };
  const allowed = {
    ...entry,
    flagIn: 0,
    schemaname: 'shop',
    digest: digestOf('SELECT a FROM t WHERE id = 1'),
  };
  const engine = engineOf({
    rules: [
      rule({ ruleId: 1, matchDigest: 'flagged', flagOut: 4 }),
      rule({ ruleId: 2, matchDigest: 'own', errorMsg: 'of the rule' }),
    ],
    firewall: {
      enabled: true,
      errorMessage: 'no',
      users: [
        { ...entry, username: 'app', mode: 'PROTECTING' },
        { ...entry, username: 'app', clientAddress: '10.0.0.8', mode: 'DETECTING' },
        { ...entry, username: 'free', mode: 'OFF' },
        { ...entry, username: 'gone', mode: 'OFF', active: false },
      ],
      rules: [
        { ...allowed, username: 'app' },
        { ...allowed, username: 'app', digest: digestOf('SELECT flagged'), flagIn: 4 },
        { ...allowed, username: 'app', digest: digestOf('SELECT nothing'), active: false },
        {
          ...allowed,
          username: 'app',
          clientAddress: '10.0.0.8',
          schemaname: '',
          digest: digestOf('SELECT 1'),
        },
      ],
    },
  });
  const verdict = (sql: string, session: Partial<typeof SESSION> = {}): string => {
    const { firewall, errorMessage } = ask(engine, sql, session);
    return `${firewall} ${errorMessage ?? ''}`.trim();
  };
  t.equal(verdict('select a from t where id=99'), 'allowed');
  t.equal(verdict('SELECT a FROM t WHERE id = 1 OR 1'), 'blocked no');
  t.equal(verdict('SELECT a FROM t WHERE id = 1', { schema: 'store' }), 'blocked no');
  t.equal(verdict('SELECT a FROM t WHERE id = 1', { schema: null }), 'blocked no');
  t.equal(verdict('SELECT flagged'), 'allowed', 'by the flag that the rules have led to');
  t.equal(verdict('SELECT nothing'), 'blocked no');
  t.equal(verdict('SELECT own'), 'blocked of the rule', "the rule's own words");
  t.equal(
    verdict('SELECT a FROM t WHERE id = 1', { clientAddress: '10.0.0.8' }),
    'detected',
    'the list of the entry that was found',
  );
  t.equal(verdict('SELECT 5', { clientAddress: '10.0.0.8', schema: null }), 'allowed');
  t.equal(verdict('DROP TABLE t', { username: 'free' }), 'off');
  t.equal(verdict('SELECT 1', { username: 'gone' }), 'blocked no', 'who is not listed may do nothing');
  t.equal(verdict('SELECT 1', { username: '' }), 'blocked no');
  t.equal(engineOf({ firewall: NO_FIREWALL }).firewall.isEnabled, false);
});

t.test('the log is not flooded', async (t) => {
  let now = 0;
  const lines: unknown[] = [];
  const log = new FirewallLog(
    (_level, message, fields) => lines.push([message, fields.user]),
    () => now,
  );
  for (let count = 0; count < 50; count++) log.tell('blocked', Buffer.from('SELECT ?'), 'app', '10.0.0.1');
  log.tell('detected', Buffer.from('SELECT ?'), 'app', '10.0.0.1');
  t.strictSame(lines, [
    ['firewall: statement blocked', 'app'],
    ['firewall: statement detected', 'app'],
  ]);
  for (let count = 0; count < 500; count++) log.tell('blocked', Buffer.from(`SELECT ${count}`), 'app', '');
  t.equal(lines.length, 100);
  now = 60_000;
  log.tell('blocked', Buffer.from('SELECT ?'), 'app', '10.0.0.1');
  t.equal(lines.length, 101, 'in the next minute again');
});

t.test('what a shadow would change', async (t) => {
  const engine = engineOf({
    rules: [
      rule({ ruleId: 1, matchDigest: 'blocked', errorMsg: 'no' }),
      rule({ ruleId: 2, matchDigest: 'FROM t', destinationHostgroup: 1 }),
    ],
  });
  const shadow = engineOf({
    rules: [
      rule({ ruleId: 1, matchDigest: 'DELETE', errorMsg: 'not so' }),
      rule({ ruleId: 2, matchDigest: 'FROM t', destinationHostgroup: 2 }),
      rule({ ruleId: 3, matchPattern: 'secret', replacePattern: 'public' }),
      rule({
        ruleId: 4,
        matchDigest: 'slow',
        timeoutMs: 50,
        attributes: '{"rate_limit": {"per_second": 1}}',
      }),
      rule({ ruleId: 5, matchDigest: 'fine', okMsg: 'fine' }),
    ],
  });
  const comparison = new ShadowComparison(shadow);
  const run = (sql: string): void => {
    const verdict = ask(engine, sql);
    const judged = { plan: planOf(sql), verdict, rewritten: engine.rewritten, session: SESSION };
    comparison.compare(
      judged,
      ask(shadow, sql),
      shadow.rewritten,
      ({ destinationHostgroup }) => `to ${destinationHostgroup}`,
    );
  };
  for (const sql of [
    'SELECT a FROM t WHERE id = 1',
    'SELECT a FROM t WHERE id = 2',
    'DELETE FROM t',
    'SELECT blocked',
    "SELECT 'secret'",
    'SELECT slow',
    'SELECT fine',
    'SELECT 1',
  ])
    run(sql);
  const { samples, ...counts } = comparison.report(3);
  t.strictSame(counts, {
    worker: 3,
    statements: 8,
    effects: { elsewhere: 2, blocked: 1, allowed: 1, answered: 1, rewritten: 1, otherwise: 1 },
    hits: [
      { ruleId: 1, hits: 1 },
      { ruleId: 2, hits: 3 },
      { ruleId: 3, hits: 1 },
      { ruleId: 4, hits: 1 },
      { ruleId: 5, hits: 1 },
    ],
    unsampled: 0,
  });
  t.strictSame(
    samples.map(({ effect, digestText, current, shadow: other, statements }) => [
      effect,
      digestText,
      current,
      other,
      statements,
    ]),
    [
      ['elsewhere', 'SELECT a FROM t WHERE id = ?', 'to 1', 'to 2', 2],
      ['blocked', 'DELETE FROM t', '', 'not so', 1],
      ['allowed', 'SELECT blocked', 'no', '', 1],
      ['rewritten', 'SELECT ?', 'as it is', 'by rule 3', 1],
      ['otherwise', 'SELECT slow', '', 'timeout=50, rule 4: 1/s, 1', 1],
      ['answered', 'SELECT fine', '', 'fine', 1],
    ],
  );
  t.match(samples[0], { username: 'app', schema: 'shop', digest: digestOf('SELECT a FROM t WHERE id = 1') });
  for (let count = 0; count < 300; count++) run(`DELETE FROM u${count}`);
  const full = comparison.report(3);
  t.equal(full.samples.length, 200, 'bounded');
  t.equal(full.unsampled, 106);
  t.equal(full.effects.blocked, 301, 'and counted all the same');
});

t.test('a plan keeps what was said for many sessions, and nothing of rules that are gone', async (t) => {
  const plan = planOf('SELECT kept FROM t');
  const rules = [
    rule({ ruleId: 1, matchDigest: 'kept' }),
    ...Array.from({ length: 200 }, (_, index) => rule({ ruleId: index + 2, username: `user${index}` })),
  ];
  const engine = engineOf({ rules });
  for (let round = 0; round < 2; round++)
    for (let index = 0; index < 200; index++)
      t.equal(ask(engine, 'SELECT kept FROM t', { username: `user${index}` }).rules.length, 2);
  t.equal(ask(engine, 'SELECT kept FROM t').rules.length, 1);
  t.equal(ask(engineOf({ rules: [] }), 'SELECT kept FROM t').rules.length, 0);
  t.equal(plan.rules?.find(engine.contextOf(SESSION, 0)), null, 'of the rules before nothing is left');
});
