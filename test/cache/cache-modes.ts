/** How a Sluice caches in a run of the checker, and what that promises. */

import type { ConfigObject } from '../support/sluice-process.ts';

export const cacheModes = ['none', 'strong', 'auto', 'weak'] as const;
export type CacheMode = (typeof cacheModes)[number];

export interface CacheSetup {
  readonly config: ConfigObject;
  /** How old anything may be. */
  readonly boundMs: number;
}

const WEAK = { ttlMs: 100, staleWhileRevalidateMs: 50 };
/** A read that finds an entry that is about to end is answered a little later. */
const ANSWER_MS = 50;

export function cacheConfig(mode: CacheMode): CacheSetup {
  switch (mode) {
    case 'none':
      return { config: {}, boundMs: 0 };
    case 'strong':
      return { config: { cache: { rules: [{ ruleId: 1, class: 'strong' }] } }, boundMs: 0 };
    case 'auto':
      return { config: { cache: { auto: 'strong' } }, boundMs: 0 };
    case 'weak': {
      const rules = [{ ruleId: 1, class: 'weak', ...WEAK }];
      return { config: { cache: { rules } }, boundMs: WEAK.ttlMs + WEAK.staleWhileRevalidateMs + ANSWER_MS };
    }
  }
}
