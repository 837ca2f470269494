/** Facts of the session × class of the statement: where it goes, and the reason that is given. */

import t from 'tap';
import { Router, type RoutingFacts } from '../../../../src/data/router/router.ts';
import { NO_RULES } from '../../../../src/data/router/rules/rule-verdict.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const context = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
const NOW = 1000;
const FRESH: RoutingFacts = {
  holdsConnection: false,
  inTransaction: false,
  pinned: false,
  autocommit: true,
  schema: 'app',
  stickyUntil: 0,
  avoidsReplicaTransactions: false,
  verdict: NO_RULES,
};

const router = new Router();
const VIEWS = {
  complete: true,
  trusted: false,
  unsafeViews: new Set(['app.tricky', 'other.v']),
  isCurrent: () => true,
};
router.update(VIEWS, { writer: 10, reader: 20 });

function routed(sql: string, facts: Partial<RoutingFacts> = {}, hasReplica = true, by = router): string {
  const bytes = Buffer.from(sql);
  const plan = classify(bytes, 0, bytes.length, context);
  const { target, reason } = by.route(plan, { ...FRESH, ...facts }, NOW, hasReplica);
  return `${target} ${reason}`;
}

const READ = 'SELECT a FROM t WHERE id = 1';
const READ_ONLY = 'START TRANSACTION READ ONLY';

const TABLE: readonly (readonly [string, string, Partial<RoutingFacts>?])[] = [
  [READ, 'replica proven-read'],
  ['INSERT INTO t VALUES (1)', 'primary not-a-read'],
  ['SELECT a FROM t FOR UPDATE', 'primary locking-read'],
  ['SELECT f() FROM t', 'primary unknown-function'],
  ['SELECT 1; DELETE FROM t', 'primary multi-statement'],
  // A held connection comes before everything.
  [READ, 'held in-transaction', { holdsConnection: true, inTransaction: true }],
  [READ, 'primary pinned', { pinned: true }],
  [READ, 'held pinned', { holdsConnection: true, pinned: true }],
  [`/* sluice:primary */ ${READ}`, 'held pinned', { holdsConnection: true, pinned: true }],
  // Hints: to the primary always, to a replica only with a proof.
  [`/* sluice:primary */ ${READ}`, 'primary hint'],
  [`/* sluice:replica */ ${READ}`, 'replica hint'],
  [`/* sluice:replica */ ${READ}`, 'replica hint', { stickyUntil: NOW + 1 }],
  ['/* sluice:replica */ UPDATE t SET a = 1', 'primary not-a-read'],
  [`/* sluice:replica */ ${READ}`, 'primary autocommit-off', { autocommit: false }],
  [`/* sluice:hostgroup=10 */ ${READ}`, 'primary hint'],
  [`/* sluice:hostgroup=20 */ ${READ}`, 'replica hint'],
  [`/* sluice:hostgroup=30 */ ${READ}`, 'replica proven-read'],
  // The session.
  [READ, 'primary autocommit-off', { autocommit: false }],
  [READ, 'primary sticky-after-write', { stickyUntil: NOW + 1 }],
  [READ, 'replica proven-read', { stickyUntil: NOW }],
  // Views, and what is asked of which schema.
  ['SELECT * FROM tricky', 'primary unsafe-view'],
  ['SELECT * FROM TRICKY', 'primary unsafe-view'],
  ['SELECT * FROM tricky', 'replica proven-read', { schema: 'other' }],
  ['SELECT * FROM v', 'primary unsafe-view', { schema: 'Other' }],
  ['SELECT * FROM other.v', 'primary unsafe-view'],
  ['SELECT * FROM t JOIN app.tricky USING (a)', 'primary unsafe-view'],
  ['SELECT * FROM user', 'primary system-schema', { schema: 'mysql' }],
  ['SELECT * FROM user', 'primary system-schema', { schema: 'MySQL' }],
  // Read-only transactions.
  [READ_ONLY, 'replica read-only-transaction'],
  [READ_ONLY, 'primary sticky-after-write', { stickyUntil: NOW + 1 }],
  [READ_ONLY, 'primary pinned', { avoidsReplicaTransactions: true }],
  [READ_ONLY, 'primary autocommit-off', { autocommit: false }],
  [`/* sluice:primary */ ${READ_ONLY}`, 'primary hint'],
];

for (const [sql, want, facts = {}] of TABLE) {
  t.test(`${sql} ${JSON.stringify(facts)}`, async (t) => t.equal(routed(sql, facts), want));
}

t.test('no replica is fit', async (t) => {
  t.equal(routed(READ, {}, false), 'primary no-replica');
  t.equal(routed(READ_ONLY, {}, false), 'primary no-replica');
  t.equal(routed(`/* sluice:replica */ ${READ}`, {}, false), 'primary no-replica');
});

t.test('while the views are not known, reads of tables are not proven', async (t) => {
  const unknowing = new Router();
  t.equal(routed(READ, {}, true, unknowing), 'primary views-unknown');
  t.equal(routed('SELECT 1', {}, true, unknowing), 'replica proven-read', 'no table, no view');
  unknowing.update(
    { complete: false, trusted: true, unsafeViews: new Set(), isCurrent: () => true },
    { writer: 0, reader: 1 },
  );
  t.equal(routed(READ, {}, true, unknowing), 'replica proven-read', 'trustViews');
  t.equal(routed('SELECT * FROM user', { schema: 'mysql' }, true, unknowing), 'primary system-schema');
});

t.test('what asks for something that the last statement left goes back to the primary', async (t) => {
  for (const sql of ['SELECT LAST_INSERT_ID()', 'SELECT FOUND_ROWS()', 'SELECT ROW_COUNT()', 'SHOW WARNINGS'])
    t.match(routed(sql), /^primary /, sql);
});

t.test('a route is one object for each target and reason', async (t) => {
  const bytes = Buffer.from(READ);
  const plan = classify(bytes, 0, bytes.length, context);
  t.equal(router.route(plan, FRESH, NOW, true), router.route(plan, { ...FRESH }, NOW + 1, true));
});
