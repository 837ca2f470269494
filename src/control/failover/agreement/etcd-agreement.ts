/**
 * Several Sluices, of which one changes the servers.
 *
 * | key                | value                                     | lives as long as |
 * |--------------------|-------------------------------------------|------------------|
 * | `<prefix>/leader`  | name of the one that changes the servers  | its lease        |
 * | `<prefix>/term`    | number, servers and author of the term    | for ever         |
 * | `<prefix>/sluices/<name>` | what that one sees of the primary  | its lease        |
 *
 * Period: a third of the lease; at once when this Sluice sees something else of the primary.
 * Effect: one round keeps the lease alive (or gets a new one), puts this Sluice's view, reads all keys, and takes the
 *         leader's place if that is empty.
 * Stop:   `stop()` gives the lease back, so that another one leads at once.
 *
 * | state    | meaning                                             | entered from            | left by                     |
 * |----------|-----------------------------------------------------|-------------------------|-----------------------------|
 * | lost     | no round has succeeded within the lease             | (start), any            | a round                     |
 * | follower | the leader is another one                           | lost, leader            | a round, the lease's end    |
 * | leader   | the leader's key hangs on our lease                 | lost, follower          | a round, the lease's end    |
 *
 * The lease's end is counted from before the call that renewed it, on a clock that never goes back: etcd's count ends
 * later than ours. A leader that hears nothing of etcd so stops leading before anybody else can begin.
 */

import type { Clock, TimerHandle } from '../../../common/clock.ts';
import { makeTransitions } from '../../../common/state-machine.ts';
import type { PeerTestimony } from '../../../topology/primary-death.ts';
import { type Agreement, AgreementState, type PrimaryView, type TermClaim } from './agreement.ts';
import type { EtcdClient, EtcdEntry } from './etcd-client.ts';

export interface EtcdAgreementOptions {
  readonly client: EtcdClient;
  /** Of this Sluice, different from all others'. */
  readonly name: string;
  readonly prefix: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly changed: (change: AgreementChange) => void;
  /** Somebody has begun a term. */
  readonly termSeen: (term: number) => void;
}

export interface AgreementChange {
  readonly from: AgreementState;
  readonly to: AgreementState;
  /** Of the leader; null where none is known. */
  readonly leader: string | null;
  /** Why etcd is lost; empty otherwise. */
  readonly reason: string;
}

type EtcdState = Exclude<AgreementState, 'alone'>;

const move = makeTransitions<EtcdState>('agreement', {
  lost: ['lost', 'follower', 'leader'],
  follower: ['follower', 'leader', 'lost'],
  leader: ['leader', 'follower', 'lost'],
});

/** Before the lease's end: what was begun in time must also end in time. */
const MARGIN_MS = 300;

interface Lease {
  readonly id: string;
  endsAtMs: number;
}

interface Term {
  readonly number: number;
  readonly modRevision: string;
}

const NO_TERM: Term = { number: 0, modRevision: '0' };

export class EtcdAgreement implements Agreement {
  readonly #options: EtcdAgreementOptions;
  #state: EtcdState = AgreementState.lost;
  #lease: Lease | null = null;
  #leader: string | null = null;
  /** Of the leader's key, while that is ours. */
  #leaderRevision: string | null = null;
  #term: Term = NO_TERM;
  #view: PrimaryView | null = null;
  #timer: TimerHandle = null;
  #round: Promise<void> = Promise.resolve();
  #isAgain = false;
  #isRunning = false;
  #isStopped = false;
  #reason = 'etcd was not asked yet';

  constructor(options: EtcdAgreementOptions) {
    this.#options = options;
  }

  get state(): AgreementState {
    return this.#isLeaseOver() ? AgreementState.lost : this.#state;
  }

  get leader(): string | null {
    return this.#leader;
  }

  /** Resolves after the first round, whatever came of it. */
  async start(): Promise<void> {
    this.#begin();
    await this.#round;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#round;
    if (this.#lease !== null) await this.#options.client.revokeLease(this.#lease.id).catch(() => undefined);
    this.#lease = null;
    this.#options.client.close();
  }

  refusal(): string | null {
    switch (this.state) {
      case AgreementState.leader:
        return null;
      case AgreementState.follower:
        return `the Sluice that changes the servers is ${this.#leader ?? 'another one'}`;
      default:
        return `etcd is lost: ${this.#reason}`;
    }
  }

  announce(view: PrimaryView | null): void {
    if (view?.identity === this.#view?.identity && view?.hears === this.#view?.hears) return;
    this.#view = view;
    this.#begin();
  }

  async claimTerm({ from, to }: TermClaim): Promise<number> {
    const refusal = this.refusal();
    if (refusal !== null || this.#leaderRevision === null) throw new Error(refusal ?? 'not the leader');
    const { client, name, clock } = this.#options;
    const number = this.#term.number + 1;
    const value = JSON.stringify({
      term: number,
      from,
      to,
      by: name,
      at: new Date(clock.wallMs()).toISOString(),
    });
    const isOurs = await client.transact(
      [
        { key: this.#key('leader'), target: 'create', revision: this.#leaderRevision },
        { key: this.#key('term'), target: 'mod', revision: this.#term.modRevision },
      ],
      [{ key: this.#key('term'), value }],
    );
    if (!isOurs) {
      this.#begin();
      throw new Error('another Sluice leads, or has begun a term, since etcd was asked last');
    }
    // What its revision is now, the next round tells.
    this.#begin();
    await this.#round;
    if (this.#term.number !== number) throw new Error(`term ${number} was begun, but is not the last one`);
    return number;
  }

  async peers(identity: string): Promise<readonly PeerTestimony[]> {
    const entries = await this.#options.client.list(this.#key('sluices/'));
    const own = this.#key(`sluices/${this.#options.name}`);
    const testimonies: PeerTestimony[] = [];
    for (const { key, value } of entries) {
      const view = key === own ? null : parseView(value);
      if (view?.identity !== identity) continue;
      testimonies.push({ name: key.slice(this.#key('sluices/').length), hears: view.hears });
    }
    return testimonies;
  }

  #key(name: string): string {
    return `${this.#options.prefix}/${name}`;
  }

  #isLeaseOver(): boolean {
    return this.#lease === null || this.#options.clock.monotonicMs() >= this.#lease.endsAtMs - MARGIN_MS;
  }

  /** One round at a time; whoever wants one while it runs gets one behind it. */
  #begin(): void {
    if (this.#isStopped) return;
    if (this.#isRunning) {
      this.#isAgain = true;
      return;
    }
    this.#isRunning = true;
    this.#round = this.#rounds();
  }

  async #rounds(): Promise<void> {
    const { clock, ttlMs } = this.#options;
    clock.clearTimeout(this.#timer);
    do {
      this.#isAgain = false;
      try {
        await this.#oneRound();
      } catch (error) {
        this.#failed(error instanceof Error ? error.message : String(error));
      }
    } while (this.#isAgain && !this.#isStopped);
    this.#isRunning = false;
    if (!this.#isStopped) this.#timer = clock.setTimeout(() => this.#begin(), ttlMs / 3);
  }

  async #oneRound(): Promise<void> {
    const lease = await this.#keepLease();
    const { client, name } = this.#options;
    const view = JSON.stringify(this.#view);
    await client.transact([], [{ key: this.#key(`sluices/${name}`), value: view, lease: lease.id }]);
    const entries = await client.list(this.#key(''));
    const find = (key: string) => entries.find((entry) => entry.key === this.#key(key));
    this.#readTerm(find('term'));
    const leader = find('leader');
    if (leader !== undefined) {
      this.#leads(leader, lease);
      return;
    }
    const empty = { key: this.#key('leader'), target: 'create', revision: '0' } as const;
    await client.transact([empty], [{ key: this.#key('leader'), value: name, lease: lease.id }]);
    const taken = (await client.list(this.#key('leader')))[0];
    if (taken !== undefined) this.#leads(taken, lease);
  }

  async #keepLease(): Promise<Lease> {
    const { client, clock, ttlMs } = this.#options;
    const askedAtMs = clock.monotonicMs();
    if (this.#lease !== null) {
      const leftMs = await client.keepAlive(this.#lease.id);
      if (leftMs !== null) {
        this.#lease.endsAtMs = askedAtMs + leftMs;
        return this.#lease;
      }
      this.#lease = null;
    }
    const granted = await client.grantLease(Math.ceil(ttlMs / 1000));
    this.#lease = { id: granted.id, endsAtMs: askedAtMs + granted.ttlMs };
    return this.#lease;
  }

  #leads(entry: EtcdEntry, lease: Lease): void {
    const isOurs = entry.lease === lease.id;
    this.#leader = entry.value;
    this.#leaderRevision = isOurs ? entry.createRevision : null;
    this.#moveTo(isOurs ? AgreementState.leader : AgreementState.follower, '');
  }

  #failed(reason: string): void {
    this.#reason = reason;
    if (!this.#isLeaseOver()) return;
    this.#leader = null;
    this.#leaderRevision = null;
    this.#moveTo(AgreementState.lost, reason);
  }

  #moveTo(to: EtcdState, reason: string): void {
    const from = this.#state;
    this.#state = move(from, to);
    if (from !== to) this.#options.changed({ from, to, leader: this.#leader, reason });
  }

  #readTerm(entry: EtcdEntry | undefined): void {
    if (entry === undefined) {
      this.#term = NO_TERM;
      return;
    }
    const number = parseTerm(entry.value);
    const isNew = number > this.#term.number;
    this.#term = { number, modRevision: entry.modRevision };
    if (isNew) this.#options.termSeen(number);
  }
}

/** @throws Error: a term that cannot be read must not be taken for none */
function parseTerm(value: string): number {
  const parsed: unknown = JSON.parse(value);
  const term: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'term') : null;
  if (typeof term !== 'number' || !Number.isSafeInteger(term))
    throw new Error('the term in etcd is no number');
  return term;
}

function parseView(value: string): PrimaryView | null {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null) return null;
    const identity: unknown = Reflect.get(parsed, 'identity');
    const hears: unknown = Reflect.get(parsed, 'hears');
    return typeof identity === 'string' && typeof hears === 'boolean' ? { identity, hears } : null;
  } catch {
    return null;
  }
}
