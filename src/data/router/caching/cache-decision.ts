/** Whether a read may be cached, how, and if not why not. Values, made once for a plan and what rules say of it. */

import type { CacheClass } from '../../../common/cache-settings.ts';
import { CacheObjection } from '../../../sql/cacheability.ts';
import type { AutoWorth } from './auto-worth.ts';

export interface CacheDecision {
  readonly class: CacheClass;
  /** `weak`: how old a result may be; of no meaning with the others: 0. */
  readonly ttlMs: number;
  /** `weak`: for how much longer it is served while one statement reads it again; 0: not at all. */
  readonly staleMs: number;
  /** How long a statement waits for the same one that is under way. */
  readonly waitMs: number;
  /** A result without rows is kept as well. */
  readonly cacheEmpty: boolean;
  /** Results with warnings are kept; a hit has none. */
  readonly cacheWarnings: boolean;
  /** `rule 12` (query rule), `cache rule 3`, `hint`, `auto` */
  readonly source: string;
  /** Not null: nobody has asked for it, and each statement asks this first whether caching it pays. */
  readonly auto: AutoWorth | null;
}

/** Why a statement is not cached, whatever its session: a closed set, shown as it stands. */
export const CacheRefusal = {
  /** `cache.enabled` is false. */
  disabled: 'disabled',
  /** No rule and no hint says that it is to be cached. */
  noRule: 'no-rule',
  /** A rule says that it is not. */
  ruleOff: 'rule-off',
  /** A hint says so, or asks for what only a server can answer. */
  hintOff: 'hint-off',
  /** A hint asks for `weak` and gives no time to live. */
  hintWithoutTtl: 'hint-without-ttl',
  ...CacheObjection,
  /** A view, or a generated column of a table, calls something that is another one each time. */
  varyingTable: 'varying-table',
  /** What views and tables are made of is not known; see the step `views` of EXPLAIN ROUTE. */
  schemaUnknown: 'schema-unknown',
  /** Likewise for a moment: a statement has just changed it. */
  schemaChanging: 'schema-changing',
  /** A table whose rows may change without a statement that names it: of another engine, or unknown. */
  foreignEngine: 'foreign-engine',
} as const;
export type CacheRefusal = (typeof CacheRefusal)[keyof typeof CacheRefusal];

/** One of the two is null. */
export interface CacheVerdict {
  readonly decision: CacheDecision | null;
  readonly refusal: CacheRefusal | null;
  /** What made the refusal, e.g. the function's name; '' where nothing needs naming. */
  readonly detail: string;
}
