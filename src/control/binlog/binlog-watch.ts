/** Everything of the main thread that following the binlog needs: who is to be followed, and what is told to whom. */

import type { Config } from '../../../config/schema.ts';
import type { GtidSource } from '../../common/gtid-position.ts';
import { KeyCatalog } from '../../common/key-catalog.ts';
import { Gauge, type SharedCounters } from '../../common/shared-counters.ts';
import type { SharedGtids } from '../../common/shared-gtids.ts';
import { NO_KEYS, type Snapshot, type SnapshotTables } from '../../common/snapshot.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import { TableRelations } from '../../common/table-relations.ts';
import type { FollowerEvent } from '../monitor/binlog-follower-event.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import {
  BinlogFollower,
  type BinlogFollowerOptions,
  type FollowedPrimary,
  type FollowerReport,
} from './binlog-follower.ts';
import { USUAL_PACE } from './followed-server.ts';
import { isFollowerWanted } from './follower-demand.ts';
import { emptyTally } from './follower-tally.ts';
import { RowRaiser } from './row-raiser.ts';
import { SuspensionCause } from './suspension.ts';

/** No server has such a number unless somebody wants it so, and no two Sluices the same but by a rare chance. */
const FIRST_SERVER_ID = 2 ** 31;
const SERVER_IDS = 2 ** 31 - 2;

function anyServerId(): number {
  return FIRST_SERVER_ID + Math.floor(Math.random() * SERVER_IDS);
}

export interface BinlogWatchOptions {
  readonly epochs: TableEpochs;
  readonly gtids: SharedGtids;
  readonly counters: SharedCounters;
  /** What is known of tables: never older than what workers know. */
  readonly tables: () => SnapshotTables;
  readonly config: () => Config;
  readonly credentials: () => MonitorCredentials;
  readonly note: (event: FollowerEvent) => void;
  /** Views, keys, or which tables belong together, may be others: they are to be read again. */
  readonly catalogChanged: () => void;
  /** Somebody has written at no known position. */
  readonly gtidsWanted: () => void;
}

export class BinlogWatch {
  readonly #options: BinlogWatchOptions;
  readonly #follower: BinlogFollower;
  #ownServerId = anyServerId();
  #usedBefore: string;
  #snapshot: Snapshot | null = null;
  /** A hint has asked for it. */
  #isStrongWanted = false;
  /** Another process follows it, under the number that this one has. */
  #isSuspended = false;
  #tables: SnapshotTables | null = null;
  #relations = new TableRelations(null);
  #keysVersion = NO_KEYS.version;
  #keys = new KeyCatalog(NO_KEYS.catalog);
  #lastSource: GtidSource | null = null;
  #followedAddress = '';
  #isFollowed = false;

  constructor(options: BinlogWatchOptions) {
    this.#options = options;
    const { epochs, gtids, gtidsWanted } = options;
    this.#follower = new BinlogFollower({
      epochs,
      gtids,
      rows: new RowRaiser({ epochs, keys: () => this.#knownKeys(), isMariadb: () => this.#isMariadb }),
      note: (event) => this.#note(event),
      definitionsChanged: () => options.catalogChanged(),
      gtidsWanted,
      pace: USUAL_PACE,
      tally: emptyTally(),
      relations: () => this.#knownRelations(),
      source: () => this.#source(),
      catalogChanged: () => this.#catalogChanged(),
      settings: () => this.#settings(),
    });
    this.#usedBefore = this.#used();
  }

  get report(): FollowerReport {
    return this.#follower.report;
  }

  follow(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const { queryRules } = this.#options.config();
    const isWanted =
      !this.#isSuspended && isFollowerWanted(snapshot.settings.cache, queryRules, this.#isStrongWanted);
    this.#follower.follow(isWanted, primaryOf(snapshot));
  }

  suspend(): void {
    this.#isSuspended = true;
    if (this.#snapshot !== null) this.follow(this.#snapshot);
  }

  resume(): void {
    this.#isSuspended = false;
    if (this.#snapshot !== null) this.follow(this.#snapshot);
  }

  /** A statement's own hint, which no rule tells of, asks for results that are proven fresh. */
  strongWanted(): void {
    if (this.#isStrongWanted) return;
    this.#isStrongWanted = true;
    if (this.#snapshot !== null) this.follow(this.#snapshot);
  }

  /** The configuration is another one. What it says about other things is no reason to begin anew. */
  restart(): void {
    const used = this.#used();
    if (used === this.#usedBefore) return;
    this.#usedBefore = used;
    this.#follower.restart();
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  #note(event: FollowerEvent): void {
    // For the next try.
    if (event.reason.startsWith(SuspensionCause.sameServerId)) this.#ownServerId = anyServerId();
    this.#options.note(event);
  }

  #settings(): ReturnType<BinlogFollowerOptions['settings']> {
    const { config, credentials } = this.#options;
    const { cache, monitor } = config();
    return {
      credentials: credentials(),
      timeoutMs: monitor.timeoutMs,
      serverId: cache.follower.serverId ?? this.#ownServerId,
    };
  }

  /** What connections are made with, for comparing. */
  #used(): string {
    const { credentials, timeoutMs } = this.#settings();
    const { serverId } = this.#options.config().cache.follower;
    return JSON.stringify([credentials.username, credentials.password, timeoutMs, serverId]);
  }

  /** null while some statement may have changed them since they were read. */
  #knownRelations(): TableRelations | null {
    const snapshot = this.#snapshot;
    if (snapshot === null || !snapshot.catalog.tables.complete) return null;
    const { counters } = this.#options;
    const isCurrent =
      counters.gauge(Gauge.relationsEpoch) === snapshot.relationsEpoch &&
      counters.gauge(Gauge.viewsEpoch) === snapshot.catalogEpoch;
    if (!isCurrent) return null;
    const { tables } = snapshot.catalog;
    if (this.#tables !== tables) {
      this.#tables = tables;
      this.#relations = new TableRelations(tables.relations);
    }
    return this.#relations;
  }

  #knownKeys(): KeyCatalog {
    const { version, catalog } = this.#options.tables().keys;
    if (version !== this.#keysVersion) {
      this.#keysVersion = version;
      this.#keys = new KeyCatalog(catalog);
    }
    return this.#keys;
  }

  get #isMariadb(): boolean {
    return (
      this.#snapshot?.servers.some(({ role, flavor }) => role === 'primary' && flavor === 'mariadb') ?? true
    );
  }

  /** Only of the server that is followed: others' numbers are none of its. */
  #source(): GtidSource | null {
    const source = this.#snapshot?.gtidSources.at(-1) ?? null;
    const { address } = this.#follower;
    // Asked for each transaction: strings are compared when one of them is another one.
    if (source !== this.#lastSource || address !== this.#followedAddress) {
      this.#lastSource = source;
      this.#followedAddress = address;
      this.#isFollowed = source?.address === address;
    }
    return this.#isFollowed ? source : null;
  }

  #catalogChanged(): void {
    const { counters, catalogChanged } = this.#options;
    counters.addGauge(Gauge.relationsEpoch, 1);
    counters.addGauge(Gauge.viewsEpoch, 1);
    catalogChanged();
  }
}

function primaryOf({ servers, writes }: Snapshot): FollowedPrimary | null {
  const primary = servers.find(({ role }) => role === 'primary');
  if (primary === undefined || primary.address === writes.fenced) return null;
  const { address, host, port, tls } = primary;
  return { address, host, port, tls, term: writes.term };
}
