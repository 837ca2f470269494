/** What query rules cost a statement: none, a thousand that the digest settles, and some that look at the text. */

import type { QueryRule } from '../../src/common/query-rule.ts';
import { EMPTY_RULE } from '../../src/common/rule-set-encoding.ts';
import { PlanCache } from '../../src/data/router/plan-cache.ts';
import { RuleEngine } from '../../src/data/router/rules/rule-engine.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: 'STRICT_TRANS_TABLES',
  flavor: 'mariadb',
  versionId: 101_119,
});
const SESSION = {
  username: 'app',
  schema: 'shop',
  clientAddress: '10.0.0.1',
  proxyAddress: '',
  proxyPort: 0,
};

function engineOf(rules: readonly QueryRule[]): RuleEngine {
  const firewall = { enabled: false, errorMessage: '', users: [], rules: [] };
  const options = { generation: 1, maxTextBytes: 65_536, random: Math.random };
  return RuleEngine.of({ rules, fastRouting: [], firewall, userRateLimits: [] }, options);
}

function byDigest(count: number): readonly QueryRule[] {
  return Array.from({ length: count }, (_, index) => ({
    ...EMPTY_RULE,
    ruleId: index + 1,
    matchDigest: `^SELECT .* FROM sbtest${index + 1} WHERE id ?= ?\\?$`,
    destinationHostgroup: 1,
    apply: true,
  }));
}

function byText(count: number): readonly QueryRule[] {
  return byDigest(count).map(({ matchDigest, ...rule }) => ({
    ...rule,
    matchDigest: null,
    matchPattern: `^SELECT .* FROM sbtest${rule.ruleId} WHERE id ?= ?[0-9]+$`,
  }));
}

/** Statements of one digest, with the lookup of their plan. @param table number of the rule that matches; 0: none does. */
function statements(name: string, rules: readonly QueryRule[] | null, table: number): Microbenchmark {
  const plans = new PlanCache(1, 10_000, { miss: () => {} });
  const engine = rules === null ? null : engineOf(rules);
  const context = engine?.contextOf(SESSION, 0) ?? null;
  const texts = Array.from({ length: 64 }, (_, index) =>
    Buffer.from(`SELECT c FROM sbtest${table} WHERE id=${100_000 + index * 7919}`),
  );
  const expected = table === 0 ? 0 : 1;
  return {
    name: `query rules: known digest, ${name}`,
    run: (operations) => {
      let found = 0;
      for (let operation = 0; operation < operations; operation++) {
        const buffer = texts[operation & 63]!;
        const plan = plans.planFor(buffer, 0, buffer.length, CONTEXT);
        if (engine === null || context === null) found += plan.statement.statementCount;
        else
          found += engine.verdict(plan, context, buffer, 0, buffer.length).rules.length === expected ? 1 : 0;
      }
      if (found !== operations) throw new Error(`${name}: another rule has matched`);
      return found;
    },
  };
}

/** Each time another digest, which no rule has seen. */
function newDigests(count: number): Microbenchmark {
  const engine = engineOf(byDigest(count));
  const context = engine.contextOf(SESSION, 0);
  const empty = Buffer.alloc(0);
  let number = 0;
  return {
    name: `query rules: new digest, ${count} rules`,
    run: (operations) => {
      let found = 0;
      for (let operation = 0; operation < operations; operation++) {
        const normalized = Buffer.from(`SELECT c${number++} FROM customer WHERE id = ?`);
        found += engine.verdict({ normalized, rules: null }, context, empty, 0, 0).rules.length;
      }
      return found + operations;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  statements('no rules', null, 7),
  statements('1 rule', byDigest(1), 1),
  statements('1000 rules', byDigest(1000), 777),
  statements('5000 rules', byDigest(5000), 777),
  statements('10 rules for the text', byText(10), 7),
  statements('1000 rules for the text, none of which matches', byText(1000), 0),
  newDigests(1000),
];
