/** What it costs each statement that an operator can see why it went where it went. */

import { SharedCounters } from '../../src/common/shared-counters.ts';
import { SharedStatistics } from '../../src/common/shared-statistics.ts';
import { SessionState } from '../../src/data/frontend/session-state.ts';
import { StatementReports } from '../../src/data/frontend/statement-reports.ts';
import { StatementTrace } from '../../src/data/frontend/statement-trace.ts';
import { PlanCache } from '../../src/data/router/plan-cache.ts';
import { routeOf } from '../../src/data/router/route.ts';
import { RouteRing } from '../../src/data/router/route-ring.ts';
import { NO_RULES } from '../../src/data/router/rules/rule-verdict.ts';
import { StatementStatistics } from '../../src/data/statistics/statement-statistics.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
const COM_QUERY = 3;
const ROUTE = routeOf('replica', 'proven-read');
const SESSIONS = 64;

const STATISTICS = {
  enabled: true,
  digestEntries: 5000,
  digestBytes: 8 << 20,
  digestTextBytes: 2048,
  trackClientAddress: false,
  errorEntries: 1000,
  longQueryMs: 1000,
};

function recording(name: string, entries: number, enabled: boolean): Microbenchmark {
  const settings = { ...STATISTICS, enabled };
  const statistics = new StatementStatistics(new SharedStatistics(1), 0, settings, 4711);
  const ring = new RouteRing(entries);
  const counters = new SharedCounters().worker(0);
  const reports = new StatementReports(0, counters, () => undefined);
  const plans = new PlanCache(1, 100, { miss: () => {} });
  const statement = Buffer.from('SELECT c FROM sbtest1 WHERE id=4711');
  const plan = plans.planFor(statement, 0, statement.length, CONTEXT);
  const traces = Array.from({ length: SESSIONS }, (_, index) => {
    const client = {
      connectionId: 2 ** 30 + index,
      username: 'app',
      clientAddress: `127.0.0.1:${10_000 + index}`,
      state: new SessionState(counters),
      routing: { verdict: NO_RULES },
    };
    return new StatementTrace(client, { routes: ring, counters, statistics, reports });
  });
  const connection = { server: { address: '127.0.0.1:3306', hostgroup: 1 }, threadId: 17 };
  const answer = { errno: 0, lastResultRows: 1, affectedRows: 0 };
  return {
    name: `route ring: ${name}`,
    maxNanoseconds: 300,
    run: (operations) => {
      for (let operation = 0; operation < operations; operation++) {
        const trace = traces[operation % SESSIONS]!;
        trace.begins(COM_QUERY, ROUTE, plan);
        trace.uses(connection, 1, false, false, false);
        trace.answered(answer, performance.now());
        trace.ends(0, 1, 62);
      }
      return ring.written;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  recording('a statement, 1024 remembered', 1024, false),
  recording('a statement, none remembered', 0, false),
  recording('a statement, 1024 remembered, counted', 1024, true),
];
