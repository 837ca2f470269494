/** flagIN and flagOUT, fast routing behind them, and rewriting on the way. */

import t from 'tap';
import { RewriteTooLongError } from '../../../../../src/data/router/rules/rule-engine.ts';
import { ask, engineOf, rule } from './made-rules.ts';

const CHAIN = [
  rule({ ruleId: 1, matchDigest: '^SELECT', flagOut: 10 }),
  rule({ ruleId: 2, matchDigest: 'FROM t', flagIn: 0, destinationHostgroup: 2 }),
  rule({ ruleId: 3, flagIn: 10, matchDigest: 'FROM t', flagOut: 20 }),
  rule({ ruleId: 4, flagIn: 20, matchPattern: 'x', destinationHostgroup: 4, apply: true }),
  rule({ ruleId: 5, flagIn: 20, destinationHostgroup: 5, flagOut: 0 }),
  rule({ ruleId: 6, flagIn: 0, destinationHostgroup: 6 }),
];

t.test('a chain goes forward only', async (t) => {
  const engine = engineOf({ rules: CHAIN });
  const path = (sql: string, flagIn = 0): number[] =>
    ask(engine, sql, {}, flagIn).rules.map(({ ruleId }) => ruleId);
  t.strictSame(path('UPDATE t SET a = 1'), [6]);
  t.strictSame(path('DELETE FROM t'), [2, 6]);
  t.strictSame(path('SELECT a FROM u'), [1]);
  t.strictSame(path("SELECT 'x' FROM t"), [1, 3, 4]);
  t.strictSame(path("SELECT 'y' FROM t"), [1, 3, 5, 6]);
  t.strictSame(path('SELECT 1', 20), [5, 6], 'from another flag');
});

t.test('flagOUT by chance', async (t) => {
  let random = 0;
  const attributes = JSON.stringify({
    flagOUTs: [
      { id: 7, weight: 1 },
      { id: 8, weight: 3 },
      { id: 9, weight: 0 },
    ],
  });
  const engine = engineOf(
    {
      rules: [
        rule({ ruleId: 1, attributes }),
        rule({ ruleId: 2, flagIn: 7, destinationHostgroup: 7 }),
        rule({ ruleId: 3, flagIn: 8, destinationHostgroup: 8 }),
        rule({ ruleId: 4, flagIn: 9, destinationHostgroup: 9 }),
      ],
    },
    { random: () => random },
  );
  const destinations = [0, 0.24, 0.25, 0.5, 0.999].map((value) => {
    random = value;
    return ask(engine, 'SELECT 1').destinationHostgroup;
  });
  t.strictSame(destinations, [7, 7, 8, 8, 8]);
  const fixed = engineOf({
    rules: [rule({ ruleId: 1, attributes, flagOut: 3 }), rule({ ruleId: 2, flagIn: 3, errorMsg: 'three' })],
  });
  t.equal(ask(fixed, 'SELECT 1').errorMessage, 'three', 'flagOUT comes before them');
});

t.test('fast routing', async (t) => {
  const fastRouting = [
    { username: 'app', schemaname: 'shop', flagIn: 0, destinationHostgroup: 1, comment: '' },
    { username: '', schemaname: 'shop', flagIn: 0, destinationHostgroup: 2, comment: '' },
    { username: 'app', schemaname: 'shop', flagIn: 5, destinationHostgroup: 3, comment: '' },
    { username: 'app', schemaname: '', flagIn: 0, destinationHostgroup: 4, comment: '' },
  ];
  const rules = [
    rule({ ruleId: 1, matchDigest: 'flag', flagOut: 5 }),
    rule({ ruleId: 2, matchDigest: 'final', destinationHostgroup: 9, apply: true }),
    rule({ ruleId: 3, matchDigest: 'soft', destinationHostgroup: 8 }),
  ];
  const engine = engineOf({ rules, fastRouting });
  t.equal(ask(engine, 'SELECT 1').destinationHostgroup, 1);
  t.equal(ask(engine, 'SELECT 1', { username: 'other' }).destinationHostgroup, 2, 'of all users');
  t.equal(ask(engine, 'SELECT 1', { schema: 'store' }).destinationHostgroup, null);
  t.equal(ask(engine, 'SELECT 1', { schema: null }).destinationHostgroup, 4, 'without a schema');
  t.equal(ask(engine, 'SELECT flag').destinationHostgroup, 3, 'by the flag that the rules have led to');
  t.equal(ask(engine, 'SELECT soft').destinationHostgroup, 1, 'it comes last, as in ProxySQL');
  t.equal(ask(engine, 'SELECT final').destinationHostgroup, 9, 'but not behind apply');
});

t.test('rewriting', async (t) => {
  const rewritten = (
    values: Parameters<typeof rule>[0][],
    sql: string,
    maxTextBytes = 65_536,
  ): string | null => {
    const rules = values.map((one, index) => rule({ ruleId: index + 1, ...one }));
    const engine = engineOf({ rules }, { maxTextBytes });
    ask(engine, sql);
    return engine.rewritten?.toString('utf8') ?? null;
  };
  const swap = { matchPattern: '(\\w+) = (\\w+)', replacePattern: '\\2 <> \\1 /* \\0 \\\\ */' };
  t.equal(rewritten([swap], 'SELECT a = b, c = d'), 'SELECT b <> a /* a = b \\ */, c = d', 'the first match');
  t.equal(
    rewritten([{ ...swap, reModifiers: 'GLOBAL,CASELESS' }], 'SELECT a = b, c = d'),
    'SELECT b <> a /* a = b \\ */, d <> c /* c = d \\ */',
  );
  t.equal(rewritten([{ matchPattern: 'b', replacePattern: 'b' }], 'SELECT b'), null, 'nothing has changed');
  t.equal(rewritten([{ matchPattern: 'B', replacePattern: '' }], 'SELECT ab'), 'SELECT a');
  t.equal(rewritten([{ matchPattern: 'ä(.)', replacePattern: '\\1ö' }], "SELECT 'äé'"), "SELECT 'éö'");
  t.equal(
    rewritten(
      [
        { matchPattern: 'one', replacePattern: 'two' },
        { matchPattern: 'one', replacePattern: 'never' },
        { matchPattern: 'two', replacePattern: 'three' },
        { matchDigest: 'one', errorMsg: 'digests are those of what was written' },
      ],
      'SELECT one',
    ),
    'SELECT three',
  );
  t.equal(
    rewritten(
      [{ matchPattern: 'a', reModifiers: 'GLOBAL', replacePattern: 'b' }],
      `SELECT ${'a'.repeat(20)}`,
      12,
    ),
    `SELECT bbbbb${'a'.repeat(15)}`,
    'only what rules look at is replaced, and nothing is lost',
  );
  t.throws(
    () =>
      rewritten(
        [{ matchPattern: 'a', reModifiers: 'GLOBAL', replacePattern: 'x'.repeat(10_000) }],
        'a'.repeat(60_000),
      ),
    RewriteTooLongError,
  );
});

t.test('bytes that are no UTF-8 are kept', async (t) => {
  const engine = engineOf({ rules: [rule({ matchPattern: "'(.)b", replacePattern: "'ä\\1c" })] });
  const text = Buffer.from("SELECT '\xe4b\xff'", 'latin1');
  const context = engine.contextOf(
    { username: '', schema: null, clientAddress: '', proxyAddress: '', proxyPort: 0 },
    0,
  );
  engine.verdict({ normalized: Buffer.from('SELECT ?'), rules: null }, context, text, 0, text.length);
  t.strictSame(engine.rewritten, Buffer.from("SELECT '\xc3\xa4\xe4c\xff'", 'latin1'));
});

t.test('a text is cut between characters', async (t) => {
  const engine = engineOf(
    { rules: [rule({ matchPattern: 'é', reModifiers: 'GLOBAL', replacePattern: 'e' })] },
    { maxTextBytes: 10 },
  );
  ask(engine, 'SELECT éééé');
  t.equal(engine.rewritten?.toString(), 'SELECT eééé');
});
