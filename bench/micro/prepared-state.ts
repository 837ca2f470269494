/** What each execution of a prepared statement pays for being one in its session's state, and no other: see `StatementDefinition.under`. */

import { SessionVariables } from '../../src/data/backend/session-variables.ts';
import { StatementDefinitions } from '../../src/data/backend/statement-definition.ts';
import { ClientStatement } from '../../src/data/frontend/client-statement.ts';
import { PlanCache } from '../../src/data/router/plan-cache.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const DIALECT = { flavor: 'mariadb', versionId: 101_119 } as const;
const TEXT = Buffer.from('SELECT c FROM sbtest1 WHERE id=?');
/** About as much as a server reports at the login. */
const PREPARED_IN = SessionVariables.of([
  ['autocommit', 'ON'],
  ['character_set_client', 'utf8mb4'],
  ['character_set_connection', 'utf8mb4'],
  ['character_set_results', 'utf8mb4'],
  ['collation_connection', 'utf8mb4_general_ci'],
  ['sql_mode', 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION'],
  ['time_zone', 'SYSTEM'],
  ['wait_timeout', '28800'],
]);

function execution(name: string, variables: SessionVariables, maxNanoseconds: number): Microbenchmark {
  const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', ...DIALECT });
  const plan = new PlanCache(1, 100, { miss: () => undefined }).planFor(TEXT, 0, TEXT.length, context);
  const definitions = new StatementDefinitions();
  const definition = definitions.of(TEXT, 0, TEXT.length, 'app', PREPARED_IN, DIALECT);
  // Many sessions have it, each of its own.
  const statements = Array.from({ length: 64 }, (_, n) => new ClientStatement(n, plan, definition, false));
  return {
    name: `prepared state: ${name}`,
    maxNanoseconds,
    run: (operations) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) {
        const statement = statements[i & 63]!;
        const { prepared } = statement;
        statement.definition =
          variables === prepared.variables
            ? prepared
            : prepared.under(definitions.parseKeyOf(variables, DIALECT));
        sum += statement.definition.id;
      }
      return sum;
    },
  };
}

/** A point select through Sluice costs 20,000 ns and more: 1 % of it. */
const MOST_NANOSECONDS = 100;

export const benchmarks: readonly Microbenchmark[] = [
  execution('as at the PREPARE', PREPARED_IN, MOST_NANOSECONDS),
  execution('another time zone, parsed alike', PREPARED_IN.with([['time_zone', '+00:00']]), MOST_NANOSECONDS),
  execution('another sql_mode', PREPARED_IN.with([['sql_mode', 'ANSI_QUOTES']]), MOST_NANOSECONDS),
];
