/**
 * Says of a statement whether it is cached, and how: hints first, then query rules, then `cache.rules`, then `cache.auto`; and
 * only what its text, its tables and its views allow. The answer is kept with the plan, so that a known statement costs some
 * comparisons, and one comparison where nothing is cached at all.
 */

import { isDeepStrictEqual } from 'node:util';
import { CacheClass, type CacheSettings, type CacheWish } from '../../../common/cache-settings.ts';
import type { SnapshotCatalog } from '../../../common/snapshot.ts';
import { cacheObjection } from '../../../sql/cacheability.ts';
import {
  type RouteHint,
  type StatementClass,
  type TableReference,
  VaryingReason,
} from '../../../sql/statement-class.ts';
import { usedNames } from '../../../sql/used-names.ts';
import type { Plan } from '../plan.ts';
import { PlanDigest } from '../rules/plan-digest.ts';
import type { RuledCaching, RuleVerdict } from '../rules/rule-verdict.ts';
import { type TableCatalog, UNKNOWN_TABLES } from '../table-catalog.ts';
import { AutoWorth } from './auto-worth.ts';
import type { CacheDecision, CacheRefusal, CacheVerdict } from './cache-decision.ts';
import { CacheRefusal as Refusal } from './cache-decision.ts';
import { CacheRules } from './cache-rules.ts';
import { PlanCaching } from './plan-caching.ts';

/** What is known of views, as far as caching needs it. */
export interface CacheCatalog {
  readonly complete: boolean;
  /** `schema.table` in lower case: see `SnapshotCatalog`. */
  readonly varying: ReadonlySet<string>;
  /** `TimedTable.columns` by table. */
  readonly timesOfDay: ReadonlyMap<string, readonly string[] | null>;
  /** Whether it is still what the servers have, as far as statements through this Sluice go. */
  isCurrent(): boolean;
}

/** Who wants the statement to be cached, and how. */
interface Wish {
  readonly wish: CacheWish;
  readonly ttlMs: number;
  readonly staleMs: number;
  readonly source: string;
  /** It is about this very statement, or its tables. */
  readonly isExplicit: boolean;
}

/** @param isCurrent of the views. */
export function cacheCatalogOf(
  { complete, varying, timesOfDay }: SnapshotCatalog,
  isCurrent: () => boolean,
): CacheCatalog {
  const isKnown = varying !== null && timesOfDay !== null;
  return {
    complete: complete && isKnown,
    varying: new Set(varying),
    timesOfDay: new Map(timesOfDay?.map(({ name, columns }) => [name, columns])),
    isCurrent,
  };
}

const NOBODY_KNOWS: CacheCatalog = {
  complete: false,
  varying: new Set(),
  timesOfDay: new Map(),
  isCurrent: () => false,
};

function refused(refusal: CacheRefusal, detail = ''): CacheVerdict {
  return Object.freeze({ decision: null, refusal, detail });
}

const DISABLED = refused(Refusal.disabled);
const CHANGING = refused(Refusal.schemaChanging);

let generations = 0;

export class CachePolicy {
  #settings: CacheSettings | null = null;
  #rules = new CacheRules([]);
  #catalog: CacheCatalog = NOBODY_KNOWS;
  #tables: TableCatalog = UNKNOWN_TABLES;
  #maxTextBytes = 0;
  /** Another one with everything that an answer depends on; no other policy has it. */
  #generation = 0;
  /** Neither `cache.rules` nor `cache.auto` says anything. */
  #isSilent = true;
  /** Told once: a hint, which is in no configuration, wants a result that is proven fresh. */
  readonly #strongWanted: () => void;
  #hasToldStrong = false;

  /** @param strongWanted called at the first statement that is cached as `strong` by its hint. */
  constructor(strongWanted: () => void = () => {}) {
    this.#strongWanted = strongWanted;
  }

  /** A new snapshot. @param maxTextBytes of a digest that patterns look at. */
  update(settings: CacheSettings, catalog: CacheCatalog, tables: TableCatalog, maxTextBytes: number): void {
    const before = this.#settings;
    if (before === null || !isDeepStrictEqual(before.rules, settings.rules))
      this.#rules = new CacheRules(settings.rules);
    this.#settings = settings;
    this.#catalog = catalog;
    this.#tables = tables;
    this.#maxTextBytes = maxTextBytes;
    this.#isSilent = this.#rules.count === 0 && settings.auto === 'off';
    this.#generation = ++generations;
  }

  /**
   * How the statement is cached; null: not at all.
   * @param schema the session's.
   */
  decisionOf(plan: Plan, rules: RuleVerdict, username: string, schema: string | null): CacheDecision | null {
    if (this.#isSilent && rules.caching === null && plan.statement.hint.cache === null) return null;
    const { decision } = this.verdictOf(plan, rules, username, schema);
    if (decision?.class === CacheClass.strong && decision.source === HINT && !this.#hasToldStrong) {
      this.#hasToldStrong = true;
      this.#strongWanted();
    }
    return decision;
  }

  /** Likewise, with the reason why not. */
  verdictOf(plan: Plan, rules: RuleVerdict, username: string, schema: string | null): CacheVerdict {
    if (this.#settings?.enabled !== true) return DISABLED;
    const user = this.#rules.userAsAsked(username);
    const kept = plan.caching;
    const isKept = kept !== null && kept.generation === this.#generation;
    const known = isKept ? kept.find(rules, user, schema) : null;
    if (known?.decision === null) return known;
    // What is judged by an old schema is not kept, and what was judged is not used meanwhile.
    if (!this.#catalog.isCurrent() || !this.#tables.isCurrent()) return CHANGING;
    if (known !== null) return known;
    const verdict = this.#judge(plan, rules, user, schema, this.#settings);
    const answer = { rules, username: user, schema, verdict };
    if (isKept) kept.keep(answer);
    else plan.caching = new PlanCaching(this.#generation, answer);
    return verdict;
  }

  /** Why it cannot be cached so, whoever asked for it; null where nothing speaks against it. */
  objectionTo(plan: Plan, wished: CacheClass, schema: string | null): CacheVerdict | null {
    if (!this.#catalog.isCurrent() || !this.#tables.isCurrent()) return CHANGING;
    return this.#refusalOf(plan, wished, schema);
  }

  #judge(
    plan: Plan,
    rules: RuleVerdict,
    username: string,
    schema: string | null,
    settings: CacheSettings,
  ): CacheVerdict {
    const { statement } = plan;
    const wish =
      hinted(statement.hint) ??
      ruled(rules.caching, settings) ??
      this.#listed(plan, username, schema) ??
      (settings.auto === 'off' ? null : AUTO);
    if (wish === null) return refused(Refusal.noRule);
    const { wish: wished } = wish;
    if (wished === 'off')
      return refused(wish.source === HINT ? Refusal.hintOff : Refusal.ruleOff, wish.source);
    if (wished === CacheClass.weak && wish.ttlMs === 0) return refused(Refusal.hintWithoutTtl);
    if (wished !== CacheClass.strong && asksForFreshness(statement.hint))
      return refused(Refusal.hintOff, HINT);
    const refusal = this.#refusalOf(plan, wished, schema, wish.isExplicit);
    if (refusal !== null) return refusal;
    if (wish === AUTO) plan.autoWorth ??= new AutoWorth();
    const decision: CacheDecision = Object.freeze({
      class: wished,
      ttlMs: wish.ttlMs,
      staleMs: wish.staleMs,
      waitMs: rules.cacheTimeoutMs ?? settings.waitMs,
      cacheEmpty: rules.cacheEmptyResult ?? settings.storesEmptyResults,
      cacheWarnings: settings.storesWarnings,
      source: wish.source,
      auto: wish === AUTO ? plan.autoWorth : null,
    });
    return Object.freeze({ decision, refusal: null, detail: '' });
  }

  #listed(plan: Plan, username: string, schema: string | null): Wish | null {
    if (this.#rules.count === 0) return null;
    const digest = new PlanDigest(plan.normalized, this.#maxTextBytes);
    const found = this.#rules.find(digest, username, schema, plan.statement.tables);
    if (found === null) return null;
    const { ruleId, class: wish, ttlMs, staleWhileRevalidateMs: staleMs, tables, digest: exact } = found;
    const isExplicit = tables.length > 0 || exact !== null;
    return { wish, ttlMs: ttlMs ?? 0, staleMs, source: `cache rule ${ruleId}`, isExplicit };
  }

  /** What the statement itself, its tables and its views say against it. */
  #refusalOf(plan: Plan, wished: CacheClass, schema: string | null, isExplicit = false): CacheVerdict | null {
    const { statement } = plan;
    const isBounded = wished === CacheClass.weak;
    const objection = cacheObjection(statement, schema, isExplicit && wished !== CacheClass.strong);
    // What is as old as a day at most is no older than its time to live.
    if (objection !== null && !(isBounded && objection.reason === VaryingReason.timeOfDay))
      return refused(objection.reason, objection.detail);
    const { complete, varying, timesOfDay } = this.#catalog;
    if (!complete) return refused(Refusal.schemaUnknown);
    const varies = named(statement, schema, varying);
    if (varies !== null) return refused(Refusal.varyingTable, varies);
    // Nobody tells of changes of system schemas in any case.
    if (isBounded || !statement.provenRead) return null;
    const timed = timedTable(plan, schema, timesOfDay);
    if (timed !== null) return refused(Refusal.timeOfDay, timed);
    if (!this.#tables.complete) return refused(Refusal.schemaUnknown);
    if (plan.readSlots(schema, this.#tables) === null) return refused(Refusal.foreignEngine);
    return null;
  }
}

const HINT = 'hint';
const AUTO: Wish = { wish: CacheClass.strong, ttlMs: 0, staleMs: 0, source: 'auto', isExplicit: false };

function hinted({ cache, noCache }: RouteHint): Wish | null {
  if (noCache) return { wish: 'off', ttlMs: 0, staleMs: 0, source: HINT, isExplicit: true };
  if (cache === null) return null;
  const wish = cache.wish ?? CacheClass.weak;
  const isWeak = wish === CacheClass.weak;
  return {
    wish,
    ttlMs: isWeak ? (cache.ttlMs ?? 0) : 0,
    staleMs: isWeak ? (cache.staleMs ?? 0) : 0,
    source: HINT,
    isExplicit: true,
  };
}

function ruled(caching: RuledCaching | null, { softTtlPercent }: CacheSettings): Wish | null {
  if (caching === null) return null;
  const { wish, staleMs, ruleId } = caching;
  const ttlMs = caching.ttlMs ?? 0;
  const source = `rule ${ruleId}`;
  if (!caching.isProxysql || softTtlPercent === 0) return { wish, ttlMs, staleMs, source, isExplicit: false };
  // Behind that part of it ProxySQL lets one client read the result again, and serves the old one to the others.
  const softMs = Math.max(1, Math.floor((ttlMs * softTtlPercent) / 100));
  return { wish, ttlMs: softMs, staleMs: ttlMs - softMs, source, isExplicit: false };
}

/** It says what it must see at least, or who is to be asked: only what is proven fresh may answer it. */
function asksForFreshness({ target, maxLagMs, causal, minGtid, minEpochMs }: RouteHint): boolean {
  return target === 'primary' || maxLagMs !== null || minGtid || minEpochMs || (causal ?? 'none') !== 'none';
}

function named(
  { tables }: StatementClass,
  home: string | null,
  names: { readonly size: number; has(name: string): boolean },
): string | null {
  if (names.size === 0) return null;
  for (const reference of tables) {
    const name = nameOf(reference, home);
    if (names.has(name)) return name;
  }
  return null;
}

function nameOf({ schema, table }: TableReference, home: string | null): string {
  return `${schema ?? home ?? ''}.${table}`.toLowerCase();
}

/** A table whose values of the type TIME the statement does something with, or may. */
function timedTable(
  { statement, normalized }: Plan,
  home: string | null,
  timesOfDay: CacheCatalog['timesOfDay'],
): string | null {
  if (named(statement, home, timesOfDay) === null) return null;
  const used = usedNames(normalized);
  for (const reference of statement.tables) {
    const name = nameOf(reference, home);
    const columns = timesOfDay.get(name);
    if (columns === undefined) continue;
    if (columns === null || used === null || columns.some((column) => used.has(column))) return name;
  }
  return null;
}
