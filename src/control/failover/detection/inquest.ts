/** Gathers the signs of one primary's death, round by round, and judges them by the table of primary-death.ts. */

import type { Clock } from '../../../common/clock.ts';
import {
  type DeathDecision,
  DeathVerdict,
  judgeDeath,
  OwnSign,
  type Quorum,
  type ReplicaTestimony,
} from '../../../topology/primary-death.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import type { TopologyDescription } from '../../../topology/topology.ts';
import type { WatchedPrimary } from '../../../topology/watched-primary.ts';
import type { MonitorCredentials } from '../../monitor/monitor-connection.ts';
import type { Agreement } from '../agreement/agreement.ts';
import { lookAtPrimary } from './own-look.ts';
import { ReplicaWitness } from './replica-witness.ts';

export interface InquestOptions {
  readonly topology: () => TopologyDescription;
  readonly credentials: () => MonitorCredentials;
  readonly agreement: Agreement;
  readonly settings: () => InquestSettings;
  readonly clock: Clock;
}

export interface InquestSettings {
  /** Whether replicas may be told to connect to the primary again. */
  readonly mayAsk: boolean;
  readonly quorum: Quorum;
  /** Of one look. */
  readonly timeoutMs: number;
}

export class Inquest {
  readonly #options: InquestOptions;
  readonly #witnesses = new Map<ServerAddress, ReplicaWitness>();
  #rounds = 0;

  constructor(options: InquestOptions) {
    this.#options = options;
  }

  /** @throws Error where the other Sluices cannot be asked */
  async round(primary: WatchedPrimary): Promise<DeathDecision> {
    const { credentials, agreement, settings } = this.#options;
    const { timeoutMs, quorum, mayAsk } = settings();
    const refusal = agreement.refusal();
    // The first round may come before replicas have noticed what is quite visible to them.
    const asks = mayAsk && this.#rounds++ > 0;
    const [own, replicas] = await Promise.all([
      lookAtPrimary(primary, credentials(), timeoutMs),
      refusal === null ? this.#askReplicas(primary, asks) : [],
    ]);
    const { identity } = primary;
    agreement.announce(identity === null ? null : { identity, hears: own === OwnSign.answers });
    if (own !== OwnSign.answers && refusal !== null)
      return { verdict: DeathVerdict.notOurs, reason: `it does not answer, and ${refusal}` };
    const isAskedOf = own !== OwnSign.answers && identity !== null;
    const peers = isAskedOf ? await agreement.peers(identity) : [];
    return judgeDeath({ own, replicas, peers }, quorum);
  }

  /** Resolves when the replicas are as they were. */
  async close(): Promise<void> {
    const witnesses = [...this.#witnesses.values()];
    this.#witnesses.clear();
    await Promise.all(witnesses.map((witness) => witness.close()));
  }

  #askReplicas({ replicas, isSource }: WatchedPrimary, mayAsk: boolean): Promise<ReplicaTestimony[]> {
    return Promise.all(
      replicas.map(async (address) => {
        const sign = await this.#witness(address).look(isSource, mayAsk);
        return { address, sign };
      }),
    );
  }

  #witness(address: ServerAddress): ReplicaWitness {
    const known = this.#witnesses.get(address);
    if (known !== undefined) return known;
    const { topology, credentials, settings, clock } = this.#options;
    const { host, port, tls } = topology().find(address)!;
    const { timeoutMs } = settings();
    const target = { host, port, tls };
    const witness = new ReplicaWitness({ target, credentials: credentials(), timeoutMs, clock });
    this.#witnesses.set(address, witness);
    return witness;
  }
}
