/**
 * Finds out whether the primary is dead, once a check of the monitor makes it suspect.
 *
 * Period: PACE_MS from the start of one round to the next while it is suspect, SLOW_PACE_MS when that lasts; without
 *         suspicion nothing runs.
 * Effect: rounds of an inquest. A verdict is told when it changes. `dead` is called when it has been `dead` for
 *         `confirmMs`, and again after each further round with that verdict.
 * Stop:   `stop()`.
 *
 * | state      | meaning                                      | left to                                            |
 * |------------|----------------------------------------------|----------------------------------------------------|
 * | calm       | no check of the primary fails                | suspicious (a check has failed)                    |
 * | suspicious | rounds run                                   | calm (it answers, or is not the primary any more)  |
 * | stopped    | for good                                     | –                                                  |
 */

import type { Clock } from '../../../common/clock.ts';
import { makeTransitions } from '../../../common/state-machine.ts';
import { type DeathDecision, DeathVerdict } from '../../../topology/primary-death.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import type { TopologyDescription } from '../../../topology/topology.ts';
import { type WatchedPrimary, watchedPrimary } from '../../../topology/watched-primary.ts';
import { describeError } from '../../monitor/server-error.ts';
import type { Agreement } from '../agreement/agreement.ts';
import type { FailoverEvent } from '../failover-event.ts';
import type { Inquest } from './inquest.ts';

export interface PrimaryWatchOptions {
  readonly topology: () => TopologyDescription;
  readonly agreement: Agreement;
  readonly clock: Clock;
  /** A new one for each suspicion. */
  readonly inquest: () => Pick<Inquest, 'round' | 'close'>;
  readonly confirmMs: () => number;
  readonly note: (event: FailoverEvent) => void;
  /** Never rejects; rounds wait for it. */
  readonly dead: (death: Death) => Promise<void>;
}

export interface Death {
  readonly primary: WatchedPrimary;
  readonly reason: string;
  /** Since the first sign. */
  readonly afterMs: number;
}

type WatchState = 'calm' | 'suspicious' | 'stopped';

const move = makeTransitions<WatchState>('watch of the primary', {
  calm: ['suspicious', 'stopped'],
  suspicious: ['calm', 'stopped'],
  stopped: [],
});

const PACE_MS = 250;
const SLOW_PACE_MS = 1000;
/** From then on at the slow pace. */
const SLOW_AFTER_MS = 15_000;

/** One stretch of rounds about one server. */
interface Suspicion {
  readonly address: ServerAddress;
  readonly sinceMs: number;
  readonly inquest: ReturnType<PrimaryWatchOptions['inquest']>;
  /** Since when the verdict is `dead`, or was not known to be otherwise. */
  deadSinceMs: number | null;
  told: DeathVerdict | null;
  isDeathTold: boolean;
}

export class PrimaryWatch {
  readonly #options: PrimaryWatchOptions;
  #state: WatchState = 'calm';
  #running: Promise<void> = Promise.resolve();
  /** The monitor has seen something since the last round. */
  #isBehind = false;
  /** Ends the pause between two rounds. */
  #wake: () => void = () => {};

  constructor(options: PrimaryWatchOptions) {
    this.#options = options;
  }

  /** The monitor has seen something: looks whether it concerns the primary. */
  look(): void {
    this.#isBehind = true;
    if (this.#state !== 'calm') return;
    const primary = watchedPrimary(this.#options.topology());
    if (primary === null) return;
    const { identity } = primary;
    if (primary.isSuspect) {
      this.#state = move(this.#state, 'suspicious');
      this.#running = this.#investigate(primary.address);
    } else this.#options.agreement.announce(identity === null ? null : { identity, hears: true });
  }

  async stop(): Promise<void> {
    if (this.#state !== 'stopped') this.#state = move(this.#state, 'stopped');
    this.#wake();
    await this.#running;
  }

  async #investigate(address: ServerAddress): Promise<void> {
    const sinceMs = this.#options.clock.monotonicMs();
    const inquest = this.#options.inquest();
    const suspicion: Suspicion = {
      address,
      sinceMs,
      inquest,
      deadSinceMs: null,
      told: null,
      isDeathTold: false,
    };
    const isAlive = await this.#rounds(suspicion);
    this.#isBehind = false;
    await inquest.close();
    if (isAlive && suspicion.told !== null)
      this.#options.note({ kind: 'primary-answers', address, afterMs: this.#sinceMs(sinceMs) });
    if (this.#state !== 'suspicious') return;
    this.#state = move(this.#state, 'calm');
    // Whoever is the primary now may have failed meanwhile, and so may one that lived when it was asked last.
    if (!isAlive || this.#isBehind) this.look();
  }

  /** @returns whether it lives; not, where it is not the primary any more */
  async #rounds(suspicion: Suspicion): Promise<boolean> {
    const { clock, topology } = this.#options;
    while (this.#state === 'suspicious') {
      const beganMs = clock.monotonicMs();
      const primary = watchedPrimary(topology());
      if (primary?.address !== suspicion.address) return false;
      const decision = await suspicion.inquest.round(primary).catch((error: unknown) => {
        return { verdict: DeathVerdict.unknown, reason: describeError(error) };
      });
      if (decision.verdict === DeathVerdict.alive) return true;
      await this.#weigh(primary, suspicion, decision, beganMs);
      await this.#pause(beganMs, suspicion.sinceMs);
    }
    return false;
  }

  async #weigh(
    primary: WatchedPrimary,
    suspicion: Suspicion,
    { verdict, reason }: DeathDecision,
    beganMs: number,
  ): Promise<void> {
    const { clock, note, confirmMs, dead } = this.#options;
    const { address } = primary;
    if (verdict !== suspicion.told) note({ kind: 'primary-suspected', address, verdict, reason });
    suspicion.told = verdict;
    const mayBeDead = verdict === DeathVerdict.dead || verdict === DeathVerdict.askReplicas;
    suspicion.deadSinceMs = mayBeDead ? (suspicion.deadSinceMs ?? beganMs) : null;
    if (verdict !== DeathVerdict.dead || this.#state !== 'suspicious') return;
    if (clock.monotonicMs() - (suspicion.deadSinceMs ?? beganMs) < confirmMs()) return;
    const afterMs = this.#sinceMs(suspicion.sinceMs);
    if (!suspicion.isDeathTold) note({ kind: 'primary-dead', address, reason, afterMs });
    suspicion.isDeathTold = true;
    await dead({ primary, reason, afterMs });
  }

  #sinceMs(sinceMs: number): number {
    return Math.round(this.#options.clock.monotonicMs() - sinceMs);
  }

  #pause(beganMs: number, sinceMs: number): Promise<void> {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    const paceMs = now - sinceMs > SLOW_AFTER_MS ? SLOW_PACE_MS : PACE_MS;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, Math.max(0, beganMs + paceMs - now));
      this.#wake = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      if (this.#state !== 'suspicious') this.#wake();
    });
  }
}
