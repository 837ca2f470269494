/**
 * Random rules, sessions and statements: the engine, with all that it keeps and leaves out, says what a plain reading
 * of ProxySQL's description says, and EXPLAIN ROUTE tells the same.
 */

import t from 'tap';
import type { QueryRule } from '../../../../../src/common/query-rule.ts';
import { explainRules } from '../../../../../src/data/router/rules/explain-rules.ts';
import type { RuleEngine } from '../../../../../src/data/router/rules/rule-engine.ts';
import type { RuleSession } from '../../../../../src/data/router/rules/rule-session.ts';
import { digestName } from '../../../../../src/sql/digest-text.ts';
import { digestForms } from '../../../../../src/sql/rules/digest-forms.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { engineOf, planOf, rule } from './made-rules.ts';

const ROUNDS = 150;
const STATEMENTS_PER_ROUND = 40;

const WORDS = [
  'SELECT',
  'a',
  'b',
  'FROM',
  't',
  'u',
  'WHERE',
  'id',
  '=',
  '1',
  "'x'",
  'FOR',
  'UPDATE',
  ',',
  '+',
  '2',
];
const PATTERNS = [
  '^SELECT',
  'a',
  'b',
  'FROM t',
  '[tu] WHERE',
  'id ?= ?',
  '1$',
  "'x'",
  'FOR UPDATE$',
  'a.*b',
  '(a|b)',
  '^$',
  'z',
  '\\?',
  'B',
];
const REPLACEMENTS = ['', 'c', '\\0\\0', '<\\0>', 'FROM u'];
const USERS = ['app', 'other', 'third'];
const SCHEMAS = ['shop', 'store', null];
const ADDRESSES = ['10.0.0.1', '10.0.1.1', 'localhost'];

class Maker {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  maybe<T>(share: number, value: () => T): T | null {
    return this.#random.next() < share ? value() : null;
  }

  statement(): string {
    return Array.from({ length: 1 + this.below(9) }, () => this.pick(WORDS)).join(' ');
  }

  rule(ruleId: number): QueryRule {
    const matchPattern = this.maybe(0.3, () => this.pick(PATTERNS));
    return rule({
      ruleId,
      active: this.below(10) > 0,
      username: this.maybe(0.15, () => this.pick(USERS)),
      schemaname: this.maybe(0.15, () => this.pick(['shop', 'store'])),
      clientAddr: this.maybe(0.15, () => this.pick(['10.0.%', '10.0.0.1', '%', 'localhost'])),
      proxyPort: this.maybe(0.1, () => this.pick([1, 2])),
      digest: this.maybe(0.05, () => digestName(planOf(this.statement()).normalized)),
      matchDigest: this.maybe(0.4, () => this.pick(PATTERNS)),
      matchPattern,
      negateMatchPattern: this.below(5) === 0,
      reModifiers: this.pick(['CASELESS', '', 'CASELESS,GLOBAL', 'GLOBAL']),
      flagIn: this.pick([0, 0, 0, 1, 2]),
      flagOut: this.maybe(0.3, () => this.pick([0, 1, 2, 3])),
      replacePattern: matchPattern === null ? null : this.maybe(0.4, () => this.pick(REPLACEMENTS)),
      destinationHostgroup: this.maybe(0.4, () => this.below(4)),
      timeoutMs: this.maybe(0.2, () => this.below(1000)),
      errorMsg: this.maybe(0.1, () => `error ${ruleId}`),
      apply: this.below(6) === 0,
    });
  }

  session(): RuleSession {
    return {
      username: this.pick(USERS),
      schema: this.pick(SCHEMAS),
      clientAddress: this.pick(ADDRESSES),
      proxyAddress: '',
      proxyPort: this.pick([1, 2, 3]),
    };
  }
}

interface Expected {
  readonly ids: number[];
  readonly text: string;
  readonly flag: number;
  readonly destination: number | null;
  readonly error: string | null;
}

/** Word for word from the description of the table. */
function naive(rules: readonly QueryRule[], session: RuleSession, flagIn: number, sql: string): Expected {
  const { normalized } = planOf(sql);
  const forms = digestForms(normalized, 65_536).map(({ value }) => value);
  let text = sql;
  let flag = flagIn;
  const matched: QueryRule[] = [];
  for (const one of [...rules].sort((a, b) => a.ruleId - b.ruleId)) {
    if (!one.active || one.flagIn !== flag) continue;
    if (one.username !== null && one.username !== session.username) continue;
    if (one.schemaname !== null && one.schemaname !== session.schema) continue;
    if (one.clientAddr !== null && !addressMatches(one.clientAddr, session.clientAddress)) continue;
    if (one.proxyPort !== null && one.proxyPort !== session.proxyPort) continue;
    if (one.digest !== null && one.digest !== digestName(normalized)) continue;
    const flags = one.reModifiers.includes('CASELESS') ? 'i' : '';
    const matches = (pattern: string, subject: string): boolean => new RegExp(pattern, flags).test(subject);
    if (one.matchDigest !== null) {
      const pattern = one.matchDigest;
      if (forms.some((form) => matches(pattern, form)) === one.negateMatchPattern) continue;
    }
    if (one.matchPattern !== null && matches(one.matchPattern, text) === one.negateMatchPattern) continue;
    matched.push(one);
    flag = one.flagOut ?? flag;
    if (one.replacePattern !== null) {
      const replacement = one.replacePattern.replaceAll('\\0', () => '$&');
      const global = one.reModifiers.includes('GLOBAL') ? 'g' : '';
      text = text.replace(new RegExp(one.matchPattern!, flags + global), replacement);
    }
    if (one.apply) break;
  }
  return {
    ids: matched.map(({ ruleId }) => ruleId),
    text,
    flag,
    destination: matched.findLast((one) => one.destinationHostgroup !== null)?.destinationHostgroup ?? null,
    error: matched.findLast((one) => one.errorMsg !== null)?.errorMsg ?? null,
  };
}

function addressMatches(pattern: string, address: string): boolean {
  return pattern.includes('%') ? address.startsWith(pattern.split('%')[0]!) : address === pattern;
}

function found(engine: RuleEngine, session: RuleSession, flagIn: number, sql: string): Expected {
  const text = Buffer.from(sql);
  const verdict = engine.verdict(planOf(sql), engine.contextOf(session, flagIn), text, 0, text.length);
  const rewritten = engine.rewritten?.toString() ?? sql;
  const explained = explainRules(engine, session, flagIn, planOf(sql).normalized, text);
  const trials = explained.trials
    .filter(({ mismatch }) => mismatch === null)
    .map((trial) => trial.rule.ruleId);
  const ids = verdict.rules.map(({ ruleId }) => ruleId);
  if (JSON.stringify(trials) !== JSON.stringify(ids) || explained.text !== rewritten)
    throw new Error(`explained as ${trials.join()} ${explained.text}, done as ${ids.join()} ${rewritten}`);
  return {
    ids,
    text: rewritten,
    flag: explained.flag,
    destination: verdict.destinationHostgroup,
    error: verdict.errorMessage,
  };
}

t.test('the engine and a plain reading agree', async (t) => {
  const seeds = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${seeds.seed}`);
  let matches = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const maker = new Maker(seeds.fork(round));
    const rules = Array.from({ length: maker.below(12) }, (_, index) => maker.rule(100 - index * 3));
    const engine = engineOf({ rules });
    for (let number = 0; number < STATEMENTS_PER_ROUND; number++) {
      const session = maker.session();
      const flagIn = maker.pick([0, 0, 1, 2]);
      const sql = maker.statement();
      const expected = naive(rules, session, flagIn, sql);
      const actual = found(engine, session, flagIn, sql);
      matches += expected.ids.length;
      if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
      t.strictSame(
        actual,
        expected,
        `seed ${seeds.seed}, round ${round}: ${sql}\n${JSON.stringify({ session, flagIn, rules })}`,
      );
      return;
    }
  }
  t.ok(matches > ROUNDS, `${matches} rules have matched`);
});
