/**
 * What the main thread knows of writes, put together: how far servers are, what the primary's binlog tells of those past
 * Sluice, and what has become of those whose connection was lost.
 */

import type { Config } from '../../config/schema.ts';
import type { Logger } from '../common/logger.ts';
import { Gauge, type SharedCounters } from '../common/shared-counters.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import { BinlogWatch } from './binlog/binlog-watch.ts';
import { KeysAgreement } from './cache/keys-agreement.ts';
import { SchemaBarrier } from './cache/schema-barrier.ts';
import { WriteDoubts } from './cache/write-doubts.ts';
import { GtidWatch } from './causal/gtid-watch.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { CommitResolution, type CommitResolutionOptions } from './failover/commit-doubt/commit-resolution.ts';
import type { Monitor } from './monitor/monitor.ts';
import { monitorCredentials } from './monitor-options.ts';

export interface WriteRoomParts extends Pick<CommitResolutionOptions, 'snapshot' | 'isHeld' | 'tell'> {
  readonly epochs: TableEpochs;
  readonly counters: SharedCounters;
  readonly monitor: Monitor;
  readonly certificates: CertificateKeeper;
  readonly logger: Logger;
  config(): Config;
  /** `gtids.keeper.sources` is another list. */
  changed(): void;
  /** Views, or which tables belong together, may be others: they are to be read again. */
  catalogChanged(): void;
  /** Those that do not go by the last snapshot when the time is over. */
  lateWorkers(timeoutMs: number): Promise<readonly number[]>;
  /** All workers run, and go by the last snapshot. */
  allAreUpToDate(): boolean;
}

export class WriteRoom {
  readonly gtids: GtidWatch;
  readonly binlog: BinlogWatch;
  readonly commits: CommitResolution;
  readonly doubts: WriteDoubts;
  readonly schema: SchemaBarrier;
  readonly keys: KeysAgreement;
  /** Tables, triggers and views may be others than was read: nothing is proven until they were read again. */
  readonly schemaChanged: () => void;

  constructor({ epochs, counters, monitor, certificates, logger, ...parts }: WriteRoomParts) {
    const { config, snapshot, isHeld, tell, changed, catalogChanged, lateWorkers, allAreUpToDate } = parts;
    const credentials = () => monitorCredentials(config(), certificates);
    const timeoutMs = () => config().monitor.timeoutMs;
    this.gtids = new GtidWatch({
      credentials,
      timeoutMs,
      changed,
      log: logger,
      primaryReturned: () => epochs.raiseEverything(),
    });
    this.commits = new CommitResolution({ snapshot, isHeld, credentials, timeoutMs, tell, logger });
    const gtidsWanted = (): void => this.gtids.resolve();
    const gtids = this.gtids.shared;
    this.schema = new SchemaBarrier({
      epochs,
      isCurrent: () => isSchemaOf(snapshot(), counters),
      lateWorkers,
    });
    this.keys = new KeysAgreement({ epochs, snapshot, isAgreed: allAreUpToDate });
    this.schemaChanged = () => {
      this.schema.hold();
      counters.addGauge(Gauge.relationsEpoch, 1);
      counters.addGauge(Gauge.viewsEpoch, 1);
      catalogChanged();
    };
    this.doubts = new WriteDoubts({
      epochs,
      gtids,
      gtidsWanted,
      schemaChanged: this.schemaChanged,
      snapshot,
      credentials,
      timeoutMs,
      logger,
    });
    this.binlog = new BinlogWatch({
      epochs,
      gtids,
      counters,
      config,
      credentials,
      note: (event) => monitor.note(event),
      tables: () => monitor.catalog.tables,
      catalogChanged,
      gtidsWanted,
    });
  }

  /** Workers have it, or are about to. */
  follow(snapshot: Snapshot): void {
    this.gtids.follow(snapshot);
    this.binlog.follow(snapshot);
    this.commits.follow(snapshot);
    this.doubts.follow();
    this.keys.follow();
  }

  /** The monitor's account is another one, or how servers are reached. */
  restart(): void {
    this.gtids.restart();
    this.binlog.restart();
    this.commits.restart();
    this.doubts.restart();
  }

  async stop(): Promise<void> {
    await this.binlog.stop();
    await this.gtids.stop();
    this.commits.stop();
    this.doubts.stop();
    this.schema.stop();
    this.keys.stop();
  }
}

/** Nobody may have changed views, triggers and the like since they were read for it. */
function isSchemaOf({ catalogEpoch, relationsEpoch }: Snapshot, counters: SharedCounters): boolean {
  return (
    counters.gauge(Gauge.viewsEpoch) === catalogEpoch &&
    counters.gauge(Gauge.relationsEpoch) === relationsEpoch
  );
}
