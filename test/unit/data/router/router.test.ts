/** Facts of the session × class of the statement: where it goes, and the reason that is given. */

import t from 'tap';
import type { Destination } from '../../../../src/data/router/destination.ts';
import { Router, type RoutingFacts } from '../../../../src/data/router/router.ts';
import { NO_RULES } from '../../../../src/data/router/rules/rule-verdict.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';
import type { HostgroupPair } from '../../../../src/topology/hostgroup.ts';
import {
  type HostgroupKind,
  MemberVerdict,
  type RuledHostgroup,
} from '../../../../src/topology/hostgroup-membership.ts';

const context = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
const FRESH: RoutingFacts = {
  holdsConnection: false,
  inTransaction: false,
  pinned: false,
  autocommit: true,
  schema: 'app',
  needsPrimary: false,
  avoidsReplicaTransactions: false,
  verdict: NO_RULES,
  defaultHostgroup: null,
};

const router = new Router();
const VIEWS = {
  complete: true,
  trusted: false,
  unsafeViews: new Set(['app.tricky', 'other.v']),
  isCurrent: () => true,
};

const FIRST = { writer: 10, reader: 20 };
const SECOND = { writer: 110, reader: 120 };

const RULED = { multiplex: true, policy: 'least-connections', hashKey: 'statement' } as const;

function hostgroup(
  id: number,
  kind: HostgroupKind,
  pair: HostgroupPair | null,
  isFit: boolean,
): RuledHostgroup {
  const verdict = isFit ? MemberVerdict.fit : MemberVerdict.notReplicating;
  return {
    id,
    kind,
    pair,
    ...RULED,
    members: [{ address: 'db:3306', weight: 1, status: 'ONLINE', verdict, zone: '', warming: null }],
  };
}

/** Two pairs, a hostgroup of its own, and one of which no server is fit. */
function hostgroups(hasReplica: boolean): RuledHostgroup[] {
  return [
    hostgroup(10, 'writer', FIRST, true),
    hostgroup(20, 'reader', FIRST, hasReplica),
    hostgroup(50, 'static', null, true),
    hostgroup(51, 'static', null, false),
    hostgroup(110, 'writer', SECOND, true),
    hostgroup(120, 'reader', SECOND, true),
    { id: 200, kind: 'static', pair: null, ...RULED, members: [] },
  ];
}

router.update(VIEWS, hostgroups(true), FIRST);
const alone = new Router();
alone.update(VIEWS, hostgroups(false), FIRST);

function decided(sql: string, facts: Partial<RoutingFacts>, by: Router): [string, Destination] {
  const bytes = Buffer.from(sql);
  const plan = classify(bytes, 0, bytes.length, context);
  const destination = by.destinationOf(plan, { ...FRESH, ...facts });
  const { target, reason } = by.route(plan, { ...FRESH, ...facts }, destination);
  return [`${target} ${reason}`, destination];
}

function routed(sql: string, facts: Partial<RoutingFacts> = {}, by = router): string {
  return decided(sql, facts, by)[0];
}

/** With the hostgroup that would serve it. */
function served(sql: string, facts: Partial<RoutingFacts> = {}): string {
  const [route, { readers, writer }] = decided(sql, facts, router);
  return `${route} ${route.startsWith('replica') ? readers : writer}`;
}

const byRule = (destinationHostgroup: number): Partial<RoutingFacts> => ({
  verdict: { ...NO_RULES, destinationHostgroup },
});

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
  [`/* sluice:replica */ ${READ}`, 'replica hint', { needsPrimary: true }],
  ['/* sluice:replica */ UPDATE t SET a = 1', 'primary not-a-read'],
  [`/* sluice:replica */ ${READ}`, 'primary autocommit-off', { autocommit: false }],
  [`/* sluice:hostgroup=10 */ ${READ}`, 'primary hint'],
  [`/* sluice:hostgroup=20 */ ${READ}`, 'replica hint'],
  [`/* sluice:hostgroup=30 */ ${READ}`, 'replica proven-read'],
  // The session.
  [READ, 'primary autocommit-off', { autocommit: false }],
  [READ, 'primary gtid-unknown', { needsPrimary: true }],
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
  [READ_ONLY, 'primary gtid-unknown', { needsPrimary: true }],
  [READ_ONLY, 'primary pinned', { avoidsReplicaTransactions: true }],
  [READ_ONLY, 'primary autocommit-off', { autocommit: false }],
  [`/* sluice:primary */ ${READ_ONLY}`, 'primary hint'],
];

for (const [sql, want, facts = {}] of TABLE) {
  t.test(`${sql} ${JSON.stringify(facts)}`, async (t) => t.equal(routed(sql, facts), want));
}

t.test('no replica is fit', async (t) => {
  t.equal(routed(READ, {}, alone), 'primary no-replica');
  t.equal(routed(READ_ONLY, {}, alone), 'primary no-replica');
  t.equal(routed(`/* sluice:replica */ ${READ}`, {}, alone), 'primary no-replica');
});

const DESTINATIONS: readonly (readonly [string, string, Partial<RoutingFacts>?])[] = [
  [READ, 'replica proven-read 20'],
  ['UPDATE t SET a = 1', 'primary not-a-read 10'],
  // A user's hostgroup: the pair of a writer, the servers of any other one.
  [READ, 'replica proven-read 120', { defaultHostgroup: 110 }],
  ['UPDATE t SET a = 1', 'primary not-a-read 110', { defaultHostgroup: 110 }],
  [READ, 'replica proven-read 120', { defaultHostgroup: 120 }],
  [READ, 'replica proven-read 50', { defaultHostgroup: 50 }],
  ['UPDATE t SET a = 1', 'primary not-a-read 10', { defaultHostgroup: 50 }],
  [READ, 'primary no-replica 10', { defaultHostgroup: 51 }],
  [READ, 'primary no-replica 10', { defaultHostgroup: 200 }],
  [READ, 'replica proven-read 20', { defaultHostgroup: 999 }],
  [READ, 'primary gtid-unknown 10', { defaultHostgroup: 50, needsPrimary: true }],
  // A rule: the writer is the primary, any other hostgroup serves what is proven.
  [READ, 'primary rule 10', byRule(10)],
  [READ, 'primary rule 110', byRule(110)],
  [READ, 'replica rule 20', byRule(20)],
  [READ, 'replica rule 50', byRule(50)],
  [READ, 'primary no-replica 10', byRule(51)],
  [READ, 'replica proven-read 20', byRule(999)],
  [READ, 'primary gtid-unknown 10', { ...byRule(50), needsPrimary: true }],
  [READ, 'primary autocommit-off 10', { ...byRule(50), autocommit: false }],
  [READ_ONLY, 'replica read-only-transaction 50', byRule(50)],
  [READ_ONLY, 'primary rule 10', byRule(10)],
  [READ, 'held in-transaction 10', { ...byRule(50), holdsConnection: true, inTransaction: true }],
  // A hint comes before a rule, a rule before the user.
  [`/* sluice:hostgroup=120 */ ${READ}`, 'replica hint 120', byRule(50)],
  [`/* sluice:hostgroup=110 */ ${READ}`, 'primary hint 110', byRule(50)],
  [`/* sluice:hostgroup=50 */ ${READ}`, 'replica hint 50', { needsPrimary: true }],
  [`/* sluice:hostgroup=999 */ ${READ}`, 'replica rule 50', byRule(50)],
  [`/* sluice:replica */ ${READ}`, 'replica hint 20', byRule(10)],
  [`/* sluice:replica */ ${READ}`, 'replica hint 50', { defaultHostgroup: 50 }],
  [`/* sluice:primary */ ${READ}`, 'primary hint 10', byRule(50)],
  [READ, 'replica rule 50', { ...byRule(50), defaultHostgroup: 120 }],
];

for (const [sql, want, facts = {}] of DESTINATIONS) {
  t.test(`${sql} for ${want}`, async (t) => t.equal(served(sql, facts), want));
}

const NOT_READS = [
  'INSERT INTO t VALUES (1)',
  'SELECT a FROM t FOR UPDATE',
  'SELECT f() FROM t',
  "SELECT GET_LOCK('a', 1)",
  'SELECT 1; DELETE FROM t',
  'SELECT a INTO @x FROM t',
  'CALL p()',
  'SELECT * FROM tricky',
  'SET GLOBAL x = 1',
  'START TRANSACTION',
];

t.test('no hostgroup makes a read of what is none', async (t) => {
  for (const sql of NOT_READS)
    for (const { id } of hostgroups(true)) {
      t.match(routed(sql, byRule(id)), /^primary /, `${sql}: rule for ${id}`);
      t.match(routed(sql, { defaultHostgroup: id }), /^primary /, `${sql}: user for ${id}`);
      t.match(routed(`/* sluice:hostgroup=${id} */ ${sql}`), /^primary /, `${sql}: hint for ${id}`);
    }
});

t.test('replicas that all lag are another thing than none', async (t) => {
  const groups = hostgroups(true).map((group) =>
    group.id === 20
      ? { ...group, members: group.members.map((one) => ({ ...one, verdict: MemberVerdict.lagging })) }
      : group,
  );
  const late = new Router();
  late.update(VIEWS, groups, FIRST);
  t.equal(routed(READ, {}, late), 'primary replicas-lag');
  t.equal(routed(READ_ONLY, {}, late), 'primary replicas-lag');
  t.equal(routed(`/* sluice:replica */ ${READ}`, {}, late), 'primary replicas-lag');
  t.equal(routed('INSERT INTO t VALUES (1)', {}, late), 'primary not-a-read');
  t.equal(routed(READ, byRule(120), late), 'replica rule', 'the other pair is well');
  late.update(VIEWS, groups, FIRST, true);
  t.equal(routed(READ, {}, late), 'replica replicas-lag');
  t.equal(routed(READ, byRule(51), late), 'primary no-replica');
});

t.test('while the views are not known, reads of tables are not proven', async (t) => {
  const unknowing = new Router();
  unknowing.update({ ...VIEWS, complete: false }, hostgroups(true), FIRST);
  t.equal(routed(READ, {}, unknowing), 'primary views-unknown');
  t.equal(routed('SELECT 1', {}, unknowing), 'replica proven-read', 'no table, no view');
  unknowing.update(
    { complete: false, trusted: true, unsafeViews: new Set(), isCurrent: () => true },
    hostgroups(true),
    FIRST,
  );
  t.equal(routed(READ, {}, unknowing), 'replica proven-read', 'trustViews');
  t.equal(routed('SELECT * FROM user', { schema: 'mysql' }, unknowing), 'primary system-schema');
});

t.test('what asks for something that the last statement left goes back to the primary', async (t) => {
  for (const sql of ['SELECT LAST_INSERT_ID()', 'SELECT FOUND_ROWS()', 'SELECT ROW_COUNT()', 'SHOW WARNINGS'])
    t.match(routed(sql), /^primary /, sql);
});

t.test('a route is one object for each target and reason', async (t) => {
  const bytes = Buffer.from(READ);
  const plan = classify(bytes, 0, bytes.length, context);
  const destination = router.destinationOf(plan, FRESH);
  t.equal(destination, router.destinationOf(plan, { ...FRESH }));
  t.equal(router.route(plan, FRESH, destination), router.route(plan, { ...FRESH }, destination));
});
