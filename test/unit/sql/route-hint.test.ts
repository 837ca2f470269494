import fc from 'fast-check';
import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { DigestScanner } from '../../../src/sql/digest.ts';
import { hintText } from '../../../src/sql/hint-comment.ts';
import { hintValuesOf } from '../../../src/sql/hint-values.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { NO_HINT } from '../../../src/sql/route-hint.ts';
import type { RouteHint } from '../../../src/sql/statement-class.ts';
import { shownForm } from './shown-form.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const scanner = new DigestScanner(7);

function hintOf(sql: string): RouteHint {
  const buf = Buffer.from(sql);
  return classify(buf, 0, buf.length, CONTEXT).hint;
}

function digestOf(buf: Buffer): string {
  scanner.scan(buf, 0, buf.length, CONTEXT);
  return shownForm(scanner);
}

t.test('what comments say', async (t) => {
  const table: readonly [string, Partial<RouteHint>][] = [
    ['/* sluice:max_lag_ms=200 */ SELECT 1', { maxLagMs: 200 }],
    ['SELECT 1 /* SLUICE: Max_Lag_Ms = 0, nocache */', { maxLagMs: 0, noCache: true }],
    ['SELECT 1 /* sluice:max_lag_ms=300 sluice:max_lag_ms=200 */', { maxLagMs: 200 }],
    ['SELECT 1 /* sluice:max_lag_ms=600001 max_lag_ms=-1 max_lag_ms=x */', {}],
    ['SELECT 1 /* sluice:causal=table */', { causal: 'table' }],
    ['SELECT 1 /* sluice:causal=none */', { causal: 'none' }],
    ['SELECT 1 /* sluice:causal=session */ /* sluice:causal=none */', { causal: 'session' }],
    ['SELECT 1 /* sluice:causal=strict */', {}],
    [`SELECT 1 /* sluice:min_gtid=${UUID}:7,nocache */`, { minGtid: true, noCache: true }],
    ['SELECT 1 /* sluice:cache=strong */', { cache: { wish: 'strong', ttlMs: null, staleMs: null } }],
    [
      'SELECT 1 /* sluice: CACHE = weak, cache_ttl_ms=500, cache_stale_ms=50 */',
      { cache: { wish: 'weak', ttlMs: 500, staleMs: 50 } },
    ],
    ['SELECT 1 /* sluice:cache_ttl_ms=500 */', { cache: { wish: null, ttlMs: 500, staleMs: null } }],
    [
      'SELECT 1 /* sluice:cache=immutable cache=off */',
      { cache: { wish: 'off', ttlMs: null, staleMs: null } },
    ],
    [
      'SELECT 1 /* sluice:cache=immutable */ /* sluice:cache=strong */',
      { cache: { wish: 'strong', ttlMs: null, staleMs: null } },
    ],
    [
      'SELECT 1 /* sluice:cache_ttl_ms=500 cache_ttl_ms=70 cache_ttl_ms=90 */',
      { cache: { wish: null, ttlMs: 70, staleMs: null } },
    ],
    // What cannot be understood is not cached.
    [
      'SELECT 1 /* sluice:cache=storng cache_ttl_ms=5 */',
      { cache: { wish: 'off', ttlMs: 5, staleMs: null } },
    ],
    ['SELECT 1 /* sluice:cache_ttl_ms=0 */', { cache: { wish: 'off', ttlMs: null, staleMs: null } }],
    ['SELECT 1 /* sluice:cache_ttl_ms=-1 */', { cache: { wish: 'off', ttlMs: null, staleMs: null } }],
    ['SELECT 1 /* sluice:cache_ttl_ms=2147483648 */', { cache: { wish: 'off', ttlMs: null, staleMs: null } }],
    ['SELECT 1 /* sluice:cache_ttl_ms=1e3 */', { cache: { wish: 'off', ttlMs: null, staleMs: null } }],
    ['/*;cache_ttl=500*/ SELECT 1', { cache: { wish: null, ttlMs: 500, staleMs: null } }],
    [
      '/* cache_ttl=500;hostgroup=3 */ SELECT 1',
      { cache: { wish: null, ttlMs: 500, staleMs: null }, hostgroup: 3 },
    ],
    ['/* cache_ttl_ms=500; cache=strong */ SELECT 1', {}],
    ['SELECT 1 /* sluice:replica min_gtid=0-1-100 */', { minGtid: true, target: 'replica' }],
    // ProxySQL's: the first comment, wherever it stands; what is no key of it stays a comment.
    ['/*;max_lag_ms=500*/ SELECT 1', { maxLagMs: 500 }],
    ['SELECT /* max_lag_ms = 500 ; hostgroup = 3 */ 1', { maxLagMs: 500, hostgroup: 3 }],
    ['SELECT 1 /* my app; HOSTGROUP=3;user=7 */', { hostgroup: 3 }],
    [`/*;min_gtid=${UUID}:7;hostgroup=1*/ SELECT 1`, { minGtid: true, hostgroup: 1 }],
    ['/* min_epoch_ms=1700000000000 */ SELECT 1', { minEpochMs: true }],
    ['/* app */ SELECT 1 /* hostgroup=3 */', {}],
    ['/* sluice:nocache */ SELECT 1 /* hostgroup=3 */', { noCache: true, hostgroup: 3 }],
    ['/*!50000 SELECT */ 1 /* hostgroup=3 */', { hostgroup: 3 }],
    ['-- hostgroup=3\nSELECT 1', {}],
    ['SELECT 1 /* xhostgroup=3; hostgroup 3; hostgroups=3 */', {}],
    ['SELECT 1 /* hostgroup=x;max_lag_ms=700000 */', {}],
    ["SELECT '/* hostgroup=3 */'", {}],
    // Nothing that the digest drops may count.
    ['SELECT 1 /* \u00a0hostgroup=3;hostgroup\u00a0=4 */', {}],
    ['SELECT 1 /* sluice:min_gtid=0-1-1,sluice:nocache */', { minGtid: true }],
  ];
  for (const [sql, expected] of table) t.same(hintOf(sql), { ...NO_HINT, ...expected }, sql);
});

t.test(
  'values that change from statement to statement are no part of the digest, and are found again',
  async (t) => {
    const table: readonly [string, string, string | null, number][] = [
      [
        `SELECT 1 /* sluice:min_gtid=${UUID}:1-5:7,3e11fa47-71ca-11e1-9e33-c80aa9429563:1-2,nocache */`,
        'SELECT ? /* sluice:min_gtid=?,nocache */',
        `${UUID}:1-5:7,3e11fa47-71ca-11e1-9e33-c80aa9429563:1-2`,
        -1,
      ],
      [
        'SELECT 1 /* sluice:min_gtid = 0-1-5,1-2-9 */',
        'SELECT ? /* sluice:min_gtid = ? */',
        '0-1-5,1-2-9',
        -1,
      ],
      [
        '/* req 17;hostgroup=1 ;min_gtid=0-1-5 */ SELECT 2',
        '/*;hostgroup=1 ;min_gtid=? */ SELECT ?',
        '0-1-5',
        -1,
      ],
      ['SELECT 2 /* min_epoch_ms=1700000000000*/', 'SELECT ? /*; min_epoch_ms=?*/', null, 1_700_000_000_000],
      ['SELECT /* min_epoch_ms=17x */ 2', 'SELECT /*; min_epoch_ms=? */ ?', null, -1],
      ['SELECT 1 /* sluice:min_gtid=0-1-5 sluice:min_gtid=1-1-5 */', '', '0-1-5,1-1-5', -1],
      ["SELECT '/* sluice:min_gtid=0-1-5 */'", 'SELECT ?', null, -1],
      ['SELECT 1 /* sluice:min_gtid= */', 'SELECT ? /* sluice:min_gtid= ?*/', '', -1],
    ];
    for (const [sql, digest, minGtid, minEpochMs] of table) {
      const buf = Buffer.from(sql);
      if (digest !== '') t.equal(digestOf(buf), digest, sql);
      t.same(hintValuesOf(buf, 0, buf.length, CONTEXT), { minGtid, minEpochMs }, sql);
    }
  },
);

t.test('the digest keeps of a hint what its meaning is read from', async () => {
  const word = fc.constantFrom(
    ...[
      'sluice:',
      'hostgroup',
      'min_gtid',
      'max_lag_ms',
      'min_epoch_ms',
      'causal',
      '=',
      ' ',
      ';',
      ',',
      '0-1-5',
    ],
    ...['a:1', 'x', '\t', '\u00a0', 'nocache', '7', 'table', '?', '_'],
  );
  const comments = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
  fc.assert(
    fc.property(comments, (comment) => {
      const buf = Buffer.from(`/*${comment}*/1`);
      const digest = digestOf(buf);
      const kept = hintText(buf, 0, buf.length - 1, CONTEXT.byteClasses);
      const text = Buffer.from(kept, 'latin1').toString();
      return digest === '?' ? hintOf(buf.toString()) === NO_HINT : digest === `/*${text}*/ ?`;
    }),
    { seed: 5, numRuns: 3000 },
  );
});
