/**
 * Asks one replica whether it hears its source. An IO thread that says `Yes` may sit on a connection whose other end is
 * gone: it is stopped and started, and connects within moments to a primary that lives.
 *
 * | IO thread                          | sign                                                              |
 * |------------------------------------|-------------------------------------------------------------------|
 * | Yes                                | claims; hears, if it was started here less than PROOF_MS ago      |
 * | Connecting                         | lost                                                              |
 * | No, after an attempt to connect    | claims: it has to be asked (a failover that broke off stopped it) |
 * | No                                 | stopped                                                           |
 * | No, right after it was started     | hears: the primary has refused something, so it lives             |
 *
 * Where it must not be started again (`needsApplier`) Yes stays a claim, until the replica notices by itself, and No is stopped.
 *
 * Nothing is changed for good: a thread that ran runs again. Where it takes long to stop, as with semi-synchronous replication
 * whose source is cut off (5 s on MariaDB), the next look starts it, or the end does.
 */

import type { Clock, TimerHandle } from '../../../common/clock.ts';
import { ReplicaSign } from '../../../topology/primary-death.ts';
import type { SourceName } from '../../../topology/watched-primary.ts';
import type { MonitorCredentials, MonitorTarget } from '../../monitor/monitor-connection.ts';
import { openOperator } from '../servers/open-operator.ts';
import type { ServerOperator } from '../servers/server-operator.ts';
import { needsApplier, type ReplicationChannelState } from '../servers/server-state.ts';

export interface ReplicaWitnessOptions {
  readonly target: MonitorTarget;
  readonly credentials: MonitorCredentials;
  /** For one answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** For so long a thread that was seen to connect is believed. */
const PROOF_MS = 5000;
const POLL_MS = 40;
/** At the end, to start a thread again that was stopped here: longer than it may take to stop. */
const GIVE_BACK_MS = 8000;
const PAUSE_MS = 250;
/** Of both flavours, in all versions. */
const CONNECT_ERROR = /error (?:re)?connecting to/i;

export class ReplicaWitness {
  readonly #options: ReplicaWitnessOptions;
  #operator: ServerOperator | null = null;
  #provenAtMs = Number.NEGATIVE_INFINITY;
  /** The IO thread was told to stop here, and nobody knows that it was started again; from which source. */
  #owed: ((name: SourceName) => boolean) | null = null;
  #isClosed = false;

  constructor(options: ReplicaWitnessOptions) {
    this.#options = options;
  }

  /** @param mayAsk whether its IO thread may be started again to find out */
  async look(isSource: (name: SourceName) => boolean, mayAsk: boolean): Promise<ReplicaSign> {
    const { clock, timeoutMs } = this.#options;
    let timer: TimerHandle = null;
    const timeout = new Promise<'late'>((resolve) => {
      timer = clock.setTimeout(() => resolve('late'), timeoutMs * 2);
    });
    try {
      const sign = await Promise.race([this.#look(isSource, mayAsk), timeout]);
      if (sign !== 'late') return sign;
    } catch {
      // What a server that does not answer says of its source is nothing.
    } finally {
      clock.clearTimeout(timer);
    }
    this.#drop();
    return ReplicaSign.noAnswer;
  }

  /** Resolves when the IO thread runs again that was stopped here, or could not be started within GIVE_BACK_MS. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + GIVE_BACK_MS;
    while (this.#owed !== null && clock.monotonicMs() < endMs) {
      await this.#giveBack(this.#owed).catch(() => this.#drop());
      if (this.#owed !== null) await new Promise<void>((resolve) => clock.setTimeout(resolve, PAUSE_MS));
    }
    this.#isClosed = true;
    this.#drop();
  }

  async #look(isSource: (name: SourceName) => boolean, mayAsk: boolean): Promise<ReplicaSign> {
    const operator = await this.#open();
    const { version, channels } = await operator.readState();
    const channel = channels.find(isSource);
    if (channel === undefined) return ReplicaSign.elsewhere;
    const isOwed = this.#owed !== null && channel.ioRunning !== 'Connecting';
    if (isOwed) return this.#ask(operator, channel, isSource);
    this.#owed = null;
    const sign = this.#signOf(channel);
    if (sign !== ReplicaSign.claims) return sign;
    if (!needsApplier(channel, version.flavor)) return mayAsk ? this.#ask(operator, channel, isSource) : sign;
    return channel.ioRunning === 'No' ? ReplicaSign.stopped : sign;
  }

  #signOf({ ioRunning, ioError }: ReplicationChannelState): ReplicaSign {
    if (ioRunning === 'Connecting') return ReplicaSign.lost;
    if (ioRunning === 'Yes') {
      const isProven = this.#options.clock.monotonicMs() - this.#provenAtMs < PROOF_MS;
      return isProven ? ReplicaSign.hears : ReplicaSign.claims;
    }
    return CONNECT_ERROR.test(ioError) ? ReplicaSign.claims : ReplicaSign.stopped;
  }

  async #ask(
    operator: ServerOperator,
    { name }: ReplicationChannelState,
    isSource: (name: SourceName) => boolean,
  ): Promise<ReplicaSign> {
    const { clock, timeoutMs } = this.#options;
    const endMs = clock.monotonicMs() + timeoutMs;
    this.#owed = isSource;
    await operator.stopReplication(name, 'io');
    await operator.startReplication(name, 'io');
    this.#owed = null;
    let sign: ReplicaSign;
    // However long it took to stop: it has been started, and is looked at.
    do {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, POLL_MS));
      const channel = await channelTo(operator, isSource);
      if (channel === null) return ReplicaSign.elsewhere;
      sign = signAfterStart(channel);
      if (sign === ReplicaSign.hears) this.#provenAtMs = clock.monotonicMs();
    } while (sign !== ReplicaSign.hears && clock.monotonicMs() < endMs);
    return sign;
  }

  /** Whoever has pointed it at another source meanwhile has started it as well. */
  async #giveBack(isSource: (name: SourceName) => boolean): Promise<void> {
    const operator = await this.#open();
    const channel = await channelTo(operator, isSource);
    // A thread that is about to end still says Yes.
    if (channel !== null) {
      await operator.stopReplication(channel.name, 'io');
      await operator.startReplication(channel.name, 'io');
    }
    this.#owed = null;
  }

  async #open(): Promise<ServerOperator> {
    if (this.#operator !== null) return this.#operator;
    const { target, credentials, timeoutMs } = this.#options;
    const operator = await openOperator(target, credentials, timeoutMs);
    if (this.#isClosed) {
      operator.close();
      throw new Error('nobody asks any more');
    }
    this.#operator = operator;
    return operator;
  }

  #drop(): void {
    this.#operator?.close();
    this.#operator = null;
  }
}

function signAfterStart({ ioRunning, ioError }: ReplicationChannelState): ReplicaSign {
  if (ioRunning === 'Yes') return ReplicaSign.hears;
  if (ioRunning === 'Connecting' || CONNECT_ERROR.test(ioError)) return ReplicaSign.lost;
  return ioError === '' ? ReplicaSign.stopped : ReplicaSign.hears;
}

async function channelTo(
  operator: ServerOperator,
  isSource: (name: SourceName) => boolean,
): Promise<ReplicationChannelState | null> {
  return (await operator.readState()).channels.find(isSource) ?? null;
}
