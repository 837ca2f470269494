/**
 * One session before the second level of the cache: what its worker has not may have been read by another Sluice. It waits for
 * an answer as it waits for another session's read, at most `cache.level2.timeoutMs`.
 */

import { CacheClass } from '../../common/cache-settings.ts';
import { lastingParts } from '../cache/cache-key.ts';
import type { SessionScope } from '../cache/cache-scope.ts';
import type { Fill } from '../cache/fill.ts';
import type { SecondLevel, SharedFill } from '../cache/level2/second-level.ts';
import type { SharedValue } from '../cache/level2/shared-value.ts';
import type { ResultCache } from '../cache/result-cache.ts';
import type { CacheEntry } from '../cache/result-store.ts';
import type { CacheDecision } from '../router/caching/cache-decision.ts';
import type { Plan } from '../router/plan.ts';
import type { Session } from './session.ts';

export interface SharedReadsOwner {
  /** What it has asked for is there, and stored; or a server is to be asked, and the fill goes on. */
  answered(fill: Fill, entry: CacheEntry | null, decision: CacheDecision, packet: Buffer, plan: Plan): void;
}

interface Question {
  readonly fill: Fill;
  readonly decision: CacheDecision;
  readonly packet: Buffer;
  readonly plan: Plan;
}

export class SharedReads {
  readonly #session: Session;
  readonly #cache: ResultCache;
  readonly #level: SecondLevel;
  readonly #scope: SessionScope;
  readonly #owner: SharedReadsOwner;
  #asked: Question | null = null;

  constructor(
    session: Session,
    cache: ResultCache,
    level: SecondLevel,
    scope: SessionScope,
    owner: SharedReadsOwner,
  ) {
    this.#session = session;
    this.#cache = cache;
    this.#level = level;
    this.#scope = scope;
    this.#owner = owner;
  }

  get isAsking(): boolean {
    return this.#asked !== null;
  }

  /** What the fill reads is for other Sluices as well, if that is possible now. Before it is sent. */
  share(fill: Fill, decision: CacheDecision, plan: Plan): void {
    fill.shared = this.#note(fill, decision, plan);
  }

  /** @returns false if nobody is to be asked; else the owner hears of it later. */
  ask(fill: Fill, decision: CacheDecision, buffer: Buffer, start: number, end: number, plan: Plan): boolean {
    this.share(fill, decision, plan);
    if (fill.shared === null) return false;
    const question = { fill, decision, packet: Buffer.from(buffer.subarray(start, end)), plan };
    this.#asked = question;
    this.#level.ask(fill.shared, decision, (value) => {
      if (this.#asked === question) this.#answered(question, value);
    });
    return true;
  }

  /** It does not wait any more. */
  cancel(): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) this.#cache.end(asked.fill);
  }

  #answered({ fill, decision, packet, plan }: Question, value: SharedValue | null): void {
    this.#asked = null;
    const ageMs = value === null || decision.class !== CacheClass.weak ? 0 : this.#level.ageOf(value);
    const entry = value === null ? null : this.#cache.take(fill, value, ageMs);
    this.#level.count(entry !== null);
    this.#owner.answered(fill, entry, decision, packet, plan);
  }

  #note({ terms }: Fill, decision: CacheDecision, plan: Plan): SharedFill | null {
    const { server } = this.#level;
    const scope = this.#scope.last?.identity ?? null;
    if (server === null || scope === null) return null;
    const definition = this.#session.run.statement?.prepared ?? null;
    const prepared =
      definition === null
        ? null
        : { text: definition.text, schema: definition.schema, session: definition.parseKey };
    const parts = { server, scope, digest: plan.normalized, prepared, ...lastingParts(terms.key) };
    return this.#level.note(parts, decision, terms.slots);
  }
}
