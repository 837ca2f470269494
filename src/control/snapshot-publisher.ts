/** What workers go by: made anew when anything that it is made of has changed, and sent if it says something else. */

import type { Config } from '../../config/schema.ts';
import type { Logger } from '../common/logger.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { WriteGate } from './failover/write-gate.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { RuleKeeper } from './query-rules/rule-keeper.ts';
import { SnapshotBuilder } from './snapshot-builder.ts';
import type { AccountKeeper } from './users/account-keeper.ts';
import type { ViewFollower } from './view-follower.ts';
import type { WorkerSet } from './worker-set.ts';
import type { WriteRoom } from './write-room.ts';

export interface SnapshotPublisherParts {
  /** Whether clients are let in at the beginning. */
  readonly accepting: boolean;
  readonly logger: Logger;
  readonly epochs: TableEpochs;
  readonly monitor: Monitor;
  readonly views: ViewFollower;
  readonly certificates: CertificateKeeper;
  readonly accounts: AccountKeeper;
  readonly rules: RuleKeeper;
  readonly gate: WriteGate;
  readonly writes: WriteRoom;
  config(): Config;
  workers(): WorkerSet | null;
  /** Nothing is to be published now. */
  isSuspended(): boolean;
}

export class SnapshotPublisher {
  readonly #parts: SnapshotPublisherParts;
  readonly #builder = new SnapshotBuilder();
  #current: Snapshot;

  constructor(parts: SnapshotPublisherParts) {
    this.#parts = parts;
    this.#builder.accepting = parts.accepting;
    this.#current = this.#build();
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Of a server that has been in a snapshot. */
  slotOf(address: string): number | undefined {
    return this.#builder.slotOf(address);
  }

  setAccepting(accepting: boolean): void {
    this.#builder.accepting = accepting;
    this.publish();
  }

  /** For nobody yet. @throws where there cannot be one: more different servers than there are places for */
  rebuild(): void {
    this.#current = this.#build();
  }

  /** Workers get it. @returns its version */
  send(): number {
    const { writes, workers } = this.#parts;
    writes.follow(this.#current);
    workers()?.publish(this.#current);
    return this.#current.version;
  }

  publish(): void {
    if (this.#parts.isSuspended()) return;
    const before = this.#current;
    try {
      this.rebuild();
    } catch (error) {
      // The last good snapshot stays in force.
      this.#parts.logger.error('the new topology cannot be published', { error });
      return;
    }
    if (this.#current !== before) this.send();
  }

  #build(): Snapshot {
    const { config, monitor, views, certificates, accounts, rules, gate, writes, epochs } = this.#parts;
    const snapshot = this.#builder.build({
      config: config(),
      topology: monitor.topology,
      catalog: monitor.catalog,
      ...views.epochs,
      tls: certificates.material,
      accounts: accounts.snapshot(),
      rules: rules.snapshot(config()),
      writes: gate.snapshot(monitor.topology.primary),
      gtidSources: writes.gtids.keeper.sources,
    });
    // Before anybody sees it: what was read of another primary holds no more.
    epochs.beginTerm(snapshot.writes.term);
    return snapshot;
  }
}
