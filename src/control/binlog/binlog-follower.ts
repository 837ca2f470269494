/**
 * Follows the binlog of whoever is the primary, so that what was written past this Sluice is seen. It never reads what it
 * follows into memory, and decides nothing: it says in shared memory how fresh its word is, and workers go by that.
 *
 * | state       | meaning                                               | entered by                        | left by                                 |
 * |-------------|-------------------------------------------------------|-----------------------------------|-----------------------------------------|
 * | off         | nobody wants it                                       | construction, settings            | settings                                |
 * | connecting  | to be connected, or waiting for another try           | settings, a primary, a loss, time | events, a suspension, settings          |
 * | catching-up | events come; not everything from before has           | the dump has begun                | the first confirmed moment, a loss, …   |
 * | following   | moments are confirmed                                 | the first one                     | a loss, a suspension, another primary   |
 * | suspended   | as it is, the binlog cannot be followed (`SuspensionCause`) | a check, an event            | `retryMs`, another primary, settings   |
 *
 * After a loss it goes on where it was. After a suspension, and on another primary, it begins anew: everything is raised
 * when the first moment is confirmed, and until then strong entries are not used.
 *
 * Period: after a loss from `FIRST_BACKOFF_MS` to `MAX_BACKOFF_MS`, after a suspension `FollowerPace.retryMs`.
 * Effect: `TableEpochs.followState`; an event for each change that an operator should know.
 * Stop:   `stop()`.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { EventChecksumError, ProtocolError } from '../../../protocol/index.ts';
import { monotonicMs } from '../../common/monotonic-ms.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { FollowState, type TableEpochs } from '../../common/table-epochs.ts';
import { isSameTls } from '../../topology/server-description.ts';
import { type FollowerEvent, FollowerState } from '../monitor/binlog-follower-event.ts';
import type { MonitorTarget } from '../monitor/monitor-connection.ts';
import { describeError, errnoOf } from '../monitor/server-error.ts';
import { privilegeMissing } from './binlog-probe.ts';
import { FollowedServer, type FollowedServerOptions } from './followed-server.ts';
import type { FollowerTally } from './follower-tally.ts';
import { FollowerSuspension } from './suspension.ts';

const { off, connecting, catchingUp, following, suspended } = FollowerState;

const move = makeTransitions<FollowerState>('binlog follower', {
  off: [connecting],
  connecting: [catchingUp, suspended, off, connecting],
  'catching-up': [following, connecting, suspended, off],
  following: [connecting, suspended, off],
  suspended: [connecting, suspended, off],
});

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2000;
/** A connection that has lasted so long was a good one. */
const STEADY_MS = 10_000;

/** From where it is to begin is not there any more. */
const ER_MASTER_FATAL_ERROR_READING_BINLOG = 1236;
const ER_ACCESS_DENIED_ERROR = 1045;
const ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227;

export interface FollowedPrimary extends MonitorTarget {
  readonly address: string;
  /** Another one for each time that somebody became primary. */
  readonly term: number;
}

export interface BinlogFollowerOptions
  extends Omit<
    FollowedServerOptions,
    'target' | 'address' | 'credentials' | 'timeoutMs' | 'serverId' | 'connected' | 'confirmed' | 'tally'
  > {
  readonly tally: FollowerTally;
  readonly settings: () => Pick<FollowedServerOptions, 'credentials' | 'timeoutMs' | 'serverId'>;
  readonly note: (event: FollowerEvent) => void;
}

/** What admin and metrics show. */
export interface FollowerReport {
  readonly state: FollowerState;
  /** '' while there is none. */
  readonly address: string;
  readonly reason: string;
  readonly remedy: string;
  /** Since the last confirmed moment; null while strong entries are not vouched for. */
  readonly ageMs: number | null;
  readonly tally: Readonly<FollowerTally>;
}

export class BinlogFollower {
  readonly #options: BinlogFollowerOptions;
  readonly #epochs: TableEpochs;
  #state: FollowerState = off;
  #primary: FollowedPrimary | null = null;
  #server: FollowedServer | null = null;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;
  #reason = '';
  #remedy = '';
  #address = '';
  /** As the last event said. */
  #told: FollowerState = off;

  constructor(options: BinlogFollowerOptions) {
    this.#options = options;
    this.#epochs = options.epochs;
  }

  /** Of the server that is followed; '' while there is none. */
  get address(): string {
    return this.#address;
  }

  get report(): FollowerReport {
    const isVouched = this.#epochs.followState === FollowState.following;
    return {
      state: this.#state,
      address: this.#address,
      reason: this.#reason,
      remedy: this.#remedy,
      ageMs: isVouched ? monotonicMs() - this.#epochs.confirmedAtMs : null,
      tally: this.#options.tally,
    };
  }

  /** @param primary null: there is none. */
  follow(isWanted: boolean, primary: FollowedPrimary | null): void {
    if (!isWanted) {
      if (this.#state !== off) this.#halt(off);
      return;
    }
    if (this.#state !== off && isSame(primary, this.#primary)) return;
    this.#halt(connecting);
    this.#primary = primary;
    if (primary !== null) this.#start(primary);
  }

  /** The account, or another setting, is another one: it goes on over new connections. */
  restart(): void {
    const primary = this.#primary;
    if (this.#state === off || primary === null) return;
    this.#halt(connecting);
    this.#primary = primary;
    this.#start(primary);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (this.#state !== off) this.#halt(off);
    await running?.ended;
  }

  #halt(to: typeof off | typeof connecting): void {
    this.#running?.abort.abort(new Error('it is not wanted any more'));
    this.#running = null;
    this.#server = null;
    this.#primary = null;
    this.#reason = '';
    this.#remedy = '';
    this.#address = '';
    this.#move(to);
  }

  #start(primary: FollowedPrimary): void {
    const abort = new AbortController();
    this.#address = primary.address;
    this.#running = { abort, ended: this.#run(primary, abort.signal) };
  }

  async #run(primary: FollowedPrimary, signal: AbortSignal): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      const startedAtMs = monotonicMs();
      this.#server ??= this.#makeServer(primary, signal);
      try {
        await this.#server.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (monotonicMs() - startedAtMs > STEADY_MS) backoffMs = FIRST_BACKOFF_MS;
        const waitMs = this.#ended(error, backoffMs);
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
        await sleep(waitMs, undefined, { signal }).catch(() => {});
        if (!signal.aborted && this.#state === suspended) this.#move(connecting);
      }
    }
  }

  #makeServer(primary: FollowedPrimary, signal: AbortSignal): FollowedServer {
    return new FollowedServer({
      ...this.#options,
      ...this.#options.settings(),
      target: primary,
      address: primary.address,
      connected: () => {
        if (!signal.aborted && this.#state === connecting) this.#move(catchingUp);
      },
      confirmed: (isAnew) => {
        if (signal.aborted) return;
        // In front of the state: whoever sees it finds nothing from before.
        if (isAnew) {
          this.#epochs.redefine();
          this.#epochs.beginFollowing();
        }
        this.#reason = '';
        this.#remedy = '';
        this.#move(following);
        this.#tell();
        if (isAnew) this.#options.definitionsChanged();
      },
    });
  }

  /** @returns how long to wait. */
  #ended(error: unknown, backoffMs: number): number {
    const suspension = suspensionOf(error, this.#options.settings().credentials.username);
    const before = this.#reason;
    this.#reason =
      suspension === null ? describeError(error) : `${suspension.suspension}: ${suspension.message}`;
    this.#remedy = suspension?.remedy ?? '';
    if (suspension === null) {
      this.#options.tally.losses += 1;
      // Without a whole beginning there is nothing to go on from.
      if (this.#server?.isWhole !== true) this.#server = null;
      this.#move(connecting);
    } else {
      this.#options.tally.suspensions += 1;
      this.#server = null;
      this.#move(suspended);
    }
    // That another try fails otherwise than the one before is no news.
    if (this.#told !== this.#state || (suspension !== null && this.#reason !== before)) this.#tell();
    return suspension === null ? backoffMs : this.#options.pace.retryMs;
  }

  #move(to: FollowerState): void {
    this.#state = move(this.#state, to);
    this.#epochs.followState = this.#sharedState();
  }

  /** While connections are exchanged the last word holds, up to its bound. */
  #sharedState(): FollowState {
    if (this.#state === off) return FollowState.off;
    const isWhole = this.#state !== suspended && this.#server?.isWhole === true;
    return isWhole ? FollowState.following : FollowState.suspended;
  }

  #tell(): void {
    this.#told = this.#state;
    this.#options.note({
      kind: 'binlog-follower-changed',
      address: this.#address,
      to: this.#state,
      reason: this.#reason,
      remedy: this.#remedy,
    });
  }
}

function isSame(one: FollowedPrimary | null, other: FollowedPrimary | null): boolean {
  if (one === null || other === null) return one === other;
  return one.address === other.address && one.term === other.term && isSameTls(one.tls, other.tls);
}

/** null: connections break, and another one may do. */
function suspensionOf(error: unknown, username: string): FollowerSuspension | null {
  if (error instanceof FollowerSuspension) return error;
  if (error instanceof EventChecksumError)
    return new FollowerSuspension('wrong-checksum', 'an event is not as the server has written it');
  const message = describeError(error);
  // Servers have several numbers for it, and the connection may end before they have said it.
  if (/same server_?(?:id|uuid)/i.test(message)) return new FollowerSuspension('same-server-id', message);
  switch (errnoOf(error)) {
    case ER_MASTER_FATAL_ERROR_READING_BINLOG:
      return new FollowerSuspension('binlog-purged', message);
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
      return privilegeMissing(['REPLICATION SLAVE'], username);
    case ER_ACCESS_DENIED_ERROR:
      return new FollowerSuspension('refused', message);
    default:
      // Bytes that are no events, or not those that were written.
      return error instanceof ProtocolError ? new FollowerSuspension('unreadable-event', message) : null;
  }
}
