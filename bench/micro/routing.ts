/** What a statement pays in user space before a byte of it is sent on: its digest, the lookup of its plan, its route. */

import { PlanCache } from '../../src/data/router/plan-cache.ts';
import { Router, type RoutingFacts } from '../../src/data/router/router.ts';
import { NO_RULES } from '../../src/data/router/rules/rule-verdict.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import { RouteTarget } from '../../src/sql/route-reason.ts';
import type { RuledHostgroup } from '../../src/topology/hostgroup-membership.ts';
import type { Microbenchmark } from './harness.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: 'STRICT_TRANS_TABLES',
  flavor: 'mariadb',
  versionId: 101_119,
});

const FACTS: RoutingFacts = {
  holdsConnection: false,
  inTransaction: false,
  pinned: false,
  autocommit: true,
  schema: 'shop',
  needsPrimary: false,
  avoidsReplicaTransactions: false,
  verdict: NO_RULES,
  defaultHostgroup: null,
};

const HOSTGROUPS: readonly RuledHostgroup[] = (['writer', 'reader'] as const).map((kind, id) => ({
  id,
  kind,
  pair: { writer: 0, reader: 1 },
  multiplex: true,
  policy: 'least-connections',
  hashKey: 'statement',
  members: [
    { address: `db${id}:3306`, weight: 1, status: 'ONLINE', verdict: 'fit', zone: '', warming: null },
  ],
}));

const router = new Router();
router.update(
  { complete: true, trusted: false, unsafeViews: new Set(['shop.audit']), isCurrent: () => true },
  HOSTGROUPS,
  { writer: 0, reader: 1 },
);

/** Statements of one digest with different literals, as an application sends them. */
function known(
  name: string,
  make: (id: number) => string,
  target: RouteTarget,
  maxNanoseconds?: number,
): Microbenchmark {
  const plans = new PlanCache(1, 10_000, { miss: () => {} });
  const statements = Array.from({ length: 64 }, (_, index) => Buffer.from(make(100_000 + index * 7919)));
  const bytes = statements[0]!.length;
  return {
    name: `known digest to route: ${name}, ${bytes} bytes`,
    bytesPerOperation: bytes,
    ...(maxNanoseconds === undefined ? {} : { maxNanoseconds }),
    run: (operations) => {
      let found = 0;
      for (let operation = 0; operation < operations; operation++) {
        const buffer = statements[operation & 63]!;
        const plan = plans.planFor(buffer, 0, buffer.length, CONTEXT);
        const destination = router.destinationOf(plan.statement, FACTS);
        if (router.route(plan.statement, FACTS, destination).target === target) found++;
      }
      if (found !== operations) throw new Error(`${name} was not routed to ${target}`);
      return found;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  known('sysbench point select', (id) => `SELECT c FROM sbtest1 WHERE id=${id}`, RouteTarget.replica),
  known(
    'SELECT',
    (id) =>
      `SELECT id, name, price FROM product WHERE category_id = ${id} AND state = 'active' ORDER BY price LIMIT 25`,
    RouteTarget.replica,
    3000,
  ),
  known(
    'UPDATE',
    (id) =>
      `UPDATE product SET price = price * 1.07, changed_at = NOW() WHERE id = ${id} AND state <> 'withdrawn' LIMIT 1`,
    RouteTarget.primary,
    3000,
  ),
];
