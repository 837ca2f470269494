/** `cache.rules`, ready to be asked: the first one that fits a statement says how it is cached. */

import type { CacheRule } from '../../../common/cache-settings.ts';
import { canonicalDigest } from '../../../sql/rules/query-rule-checks.ts';
import { RulePattern } from '../../../sql/rules/rule-pattern.ts';
import type { TableReference } from '../../../sql/statement-class.ts';
import type { PlanDigest } from '../rules/plan-digest.ts';

class CompiledCacheRule {
  readonly rule: CacheRule;
  readonly #digest: string | null;
  readonly #pattern: RulePattern | null;
  readonly #tables: ReadonlySet<string>;

  constructor(rule: CacheRule) {
    this.rule = rule;
    this.#digest = rule.digest === null ? null : canonicalDigest(rule.digest);
    this.#pattern = rule.matchDigest === null ? null : new RulePattern(rule.matchDigest, true);
    this.#tables = new Set(rule.tables.map((name) => name.toLowerCase()));
  }

  fits(
    digest: PlanDigest,
    username: string,
    schema: string | null,
    tables: readonly TableReference[],
  ): boolean {
    const { user, schema: home } = this.rule;
    if ((user !== null && user !== username) || (home !== null && home !== schema)) return false;
    if (this.#digest !== null && this.#digest !== digest.name) return false;
    const pattern = this.#pattern;
    if (pattern !== null && !digest.forms.some((form) => pattern.test(form))) return false;
    return this.#tables.size === 0 || tables.every((table) => this.#names(table, schema));
  }

  #names({ schema, table }: TableReference, home: string | null): boolean {
    const place = (schema ?? home ?? '').toLowerCase();
    return this.#tables.has(`${place}.${table.toLowerCase()}`) || this.#tables.has(`${place}.*`);
  }
}

export class CacheRules {
  readonly #rules: readonly CompiledCacheRule[];
  readonly #users: ReadonlySet<string>;

  constructor(rules: readonly CacheRule[]) {
    this.#rules = rules
      .filter(({ active }) => active)
      .sort((one, other) => one.ruleId - other.ruleId)
      .map((rule) => new CompiledCacheRule(rule));
    this.#users = new Set(this.#rules.map(({ rule }) => rule.user).filter((user) => user !== null));
  }

  get count(): number {
    return this.#rules.length;
  }

  /** Accounts that no rule names are the same to all of them: ''. */
  userAsAsked(username: string): string {
    return this.#users.has(username) ? username : '';
  }

  find(
    digest: PlanDigest,
    username: string,
    schema: string | null,
    tables: readonly TableReference[],
  ): CacheRule | null {
    return this.#rules.find((rule) => rule.fits(digest, username, schema, tables))?.rule ?? null;
  }
}
