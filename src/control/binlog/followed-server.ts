/**
 * The binlog of one primary, from where it was at the beginning on, over as many connections as it takes. Two of them at a
 * time: on one the server sends events, on the other it is asked where its binlog ends, and what is visible.
 *
 * Period: that of `FollowerPace`.
 * Effect: `ChangeRaiser` raises, `FreshnessWatch` confirms; both in shared memory.
 * Stop:   the signal of `run`.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DumpFlag, encodeComBinlogDump, encodeComBinlogDumpGtid } from '../../../protocol/index.ts';
import { type GtidHistory, historyNumber, isBroken, isSameStart } from '../../common/gtid-history.ts';
import { type GtidSource, NO_POSITION } from '../../common/gtid-position.ts';
import { monotonicMs } from '../../common/monotonic-ms.ts';
import type { SharedGtids } from '../../common/shared-gtids.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import type { TableRelations } from '../../common/table-relations.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import {
  MonitorConnection,
  type MonitorCredentials,
  type MonitorTarget,
} from '../monitor/monitor-connection.ts';
import { readHistory, readResets } from './binlog-history.ts';
import { formatPlace, isBehind, StreamPlace } from './binlog-place.ts';
import {
  type BinlogEnd,
  checkPrimary,
  isXaCommitting,
  readBinlogEnd,
  readVisiblePlace,
} from './binlog-probe.ts';
import { ChangeRaiser, type Unsettled } from './change-raiser.ts';
import { DumpConnection, type EventSink } from './dump-connection.ts';
import { EventReader } from './event-reader.ts';
import type { FollowerTally } from './follower-tally.ts';
import { FreshnessWatch } from './freshness-watch.ts';
import { MappedTables } from './mapped-tables.ts';
import type { RowSink } from './row-sink.ts';
import { intervalsHave, SeenMariadbGtids, SeenMysqlGtids, type StreamGtid } from './seen-gtids.ts';
import { statementChanges } from './statement-changes.ts';
import { StreamPositions } from './stream-positions.ts';
import { FollowerSuspension } from './suspension.ts';

/** How often what is done, in milliseconds. */
export interface FollowerPace {
  /** The server is asked where its binlog ends. */
  readonly probeMs: number;
  /** Likewise while a transaction may not be visible yet. */
  readonly settleMs: number;
  /** What the server is set up like is looked at. */
  readonly checkMs: number;
  /** After a suspension. */
  readonly retryMs: number;
}

export const USUAL_PACE: FollowerPace = Object.freeze({
  probeMs: 100,
  settleMs: 40,
  checkMs: 2000,
  retryMs: 2000,
});
/** Of the server, while it has nothing to send. */
const HEARTBEAT_MS = 100;
const SILENCE_MS = 5000;
/** Who has written rows of a table that single ones are cached of writes more of them. */
const AWAITED_MS = 1000;
const NANOSECONDS_PER_MS = 1_000_000;

export interface FollowedServerOptions {
  readonly target: MonitorTarget;
  readonly address: string;
  readonly credentials: MonitorCredentials;
  readonly timeoutMs: number;
  readonly serverId: number;
  readonly pace: FollowerPace;
  readonly epochs: TableEpochs;
  readonly gtids: SharedGtids;
  readonly rows: RowSink;
  readonly tally: FollowerTally;
  readonly relations: () => TableRelations | null;
  /** The primary's, which is the current one; null while it is not known. */
  readonly source: () => GtidSource | null;
  readonly catalogChanged: () => void;
  readonly definitionsChanged: () => void;
  readonly gtidsWanted: () => void;
  /** Events come; not all of what was sent before has. */
  readonly connected: () => void;
  /** The first moment of a connection was confirmed. @param isAnew nothing of what was before holds. */
  readonly confirmed: (isAnew: boolean) => void;
}

export class FollowedServer {
  readonly #options: FollowedServerOptions;
  readonly #place = new StreamPlace();
  readonly #raiser: ChangeRaiser;
  readonly #reader: EventReader;
  readonly #watch: FreshnessWatch;
  readonly #positions: StreamPositions;
  /** A moment was confirmed since the beginning: what has been read is whole. */
  #isWhole = false;
  #isConfirmed = false;
  #history: GtidHistory | null = null;
  #flavor: 'mysql' | 'mariadb' = 'mysql';
  #versionId = 0;
  #ownRowsAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FollowedServerOptions) {
    this.#options = options;
    const { epochs, gtids, rows, tally, relations, catalogChanged, definitionsChanged, gtidsWanted } =
      options;
    this.#positions = new StreamPositions(epochs, options.source);
    this.#raiser = new ChangeRaiser({
      epochs,
      gtids,
      rows,
      tally,
      place: this.#place,
      relations,
      positionOf: (gtid) => this.#positions.of(gtid),
      changesOf: (query) => statementChanges(query, { flavor: this.#flavor, versionId: this.#versionId }),
      catalogChanged,
      definitionsChanged,
      gtidsWanted,
      seen: (gtid, position) => this.#positions.ended(gtid, position),
    });
    this.#reader = new EventReader(this.#raiser, this.#place, new MappedTables(rows, epochs), tally);
    // Nothing is known of what comes before its beginning.
    epochs.followedSince = NO_POSITION;
    epochs.history = 0;
    this.#watch = new FreshnessWatch(epochs, monotonicMs, tally);
  }

  /** Whether another connection can go on where the last one ended. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get place(): StreamPlace {
    return this.#place;
  }

  /** Follows on one pair of connections until something ends it: always rejects, with the reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { target, credentials, timeoutMs } = this.#options;
    const opening = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const probe = await MonitorConnection.open(target, credentials, opening);
    try {
      await checkPrimary(probe, opening);
      await this.#checkHistory(probe, opening);
      this.#flavor = probe.version.flavor === ServerFlavor.mysql ? 'mysql' : 'mariadb';
      this.#versionId = probe.version.id;
      if (!this.#isWhole) await this.#begin(probe, opening);
      const dump = await DumpConnection.open(target, credentials, opening);
      try {
        return await this.#follow(probe, dump, signal, opening);
      } finally {
        dump.close();
      }
    } finally {
      probe.destroy();
    }
  }

  /** From where the server is now: what is in front of that is to be raised as a whole. */
  async #begin(probe: MonitorConnection, signal: AbortSignal): Promise<void> {
    this.#raiser.forget();
    if (this.#flavor === 'mysql') {
      // What is in the binlog and not executed yet is sent, too.
      const { executedText } = await readBinlogEnd(probe, signal);
      this.#positions.begin(new SeenMysqlGtids(executedText));
      return;
    }
    const [row] = await probe.query('SELECT @@global.gtid_binlog_pos AS position', signal);
    const end = await readBinlogEnd(probe, signal);
    this.#positions.begin(new SeenMariadbGtids(row?.position ?? ''));
    this.#raiser.beginUnsettled(end.place);
    this.#reader.beginAt(end.place);
  }

  async #follow(
    probe: MonitorConnection,
    dump: DumpConnection,
    signal: AbortSignal,
    opening: AbortSignal,
  ): Promise<never> {
    await this.#prepare(dump, opening);
    this.#reader.reset();
    this.#watch.forget();
    this.#isConfirmed = false;
    const ended = new AbortController();
    const sink: EventSink = {
      event: (header, bytes, start, end, isWhole) => this.#reader.event(header, bytes, start, end, isWhole),
      hasRead: () => {
        if (this.#raiser.isFull) dump.pause();
        if (this.#watch.isWaiting) this.#confirm();
        return this.#isAwaited();
      },
    };
    dump.dump(this.#command(), sink, (error) => ended.abort(error));
    this.#options.connected();
    const running = AbortSignal.any([signal, ended.signal]);
    try {
      return await this.#probe(probe, dump, running);
    } catch (error) {
      // What the other connection has said is the reason, and this one's end only its consequence.
      throw running.aborted ? running.reason : error;
    }
  }

  /** Whether hits wait for what comes: while own rows have come of tables with entries of single rows. */
  #isAwaited(): boolean {
    const now = monotonicMs();
    if (this.#raiser.takeOwnRows()) this.#ownRowsAtMs = now;
    return now - this.#ownRowsAtMs < AWAITED_MS;
  }

  async #prepare(dump: DumpConnection, signal: AbortSignal): Promise<void> {
    const uuid = randomUUID();
    const heartbeat = HEARTBEAT_MS * NANOSECONDS_PER_MS;
    const common = `@master_binlog_checksum = @@global.binlog_checksum, @master_heartbeat_period = ${heartbeat}`;
    if (this.#flavor === 'mysql') {
      await dump.run(
        `SET ${common}, @source_binlog_checksum = @@global.binlog_checksum, ` +
          `@source_heartbeat_period = ${heartbeat}, @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`,
        signal,
      );
      return;
    }
    await dump.run(
      `SET ${common}, @mariadb_slave_capability = 4, @slave_gtid_strict_mode = 0, ` +
        `@slave_gtid_ignore_duplicates = 0, @slave_connect_state = '${this.#positions.seen?.text ?? ''}'`,
      signal,
    );
  }

  #command(): Buffer {
    const { serverId } = this.#options;
    const { seen } = this.#positions;
    if (!(seen instanceof SeenMysqlGtids))
      return encodeComBinlogDump({ position: 4, flags: 0, serverId, file: '' });
    const flags = DumpFlag.BINLOG_THROUGH_GTID;
    return encodeComBinlogDumpGtid({ flags, serverId, file: '', position: 4n, gtids: seen.intervals });
  }

  async #probe(probe: MonitorConnection, dump: DumpConnection, signal: AbortSignal): Promise<never> {
    const { tally, timeoutMs, pace } = this.#options;
    const bytesBefore = tally.bytes;
    let checkedAtMs = monotonicMs();
    for (;;) {
      tally.bytes = bytesBefore + dump.receivedBytes;
      const asking = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const askedAtMs = monotonicMs();
      const sent = this.#place.isKnown ? this.#place.place : null;
      const end = await readBinlogEnd(probe, asking);
      // What a file of another history has is not sent any more, and looks as if it had been.
      if (sent !== null && isBehind(end.place, sent))
        throw new FollowerSuspension(
          'binlog-reset',
          `the binlog ends at ${formatPlace(end.place)}, and was sent up to ${formatPlace(sent)}`,
        );
      await this.#checkResets(probe, asking);
      this.#watch.sampled(end.place, askedAtMs);
      await this.#settle(probe, end, asking);
      this.#confirm();
      if (dump.isPaused && !this.#raiser.isFull) dump.resume();
      if (dump.silentMs > SILENCE_MS && !dump.isPaused)
        throw new Error(`the server has sent nothing for ${SILENCE_MS} ms`);
      if (askedAtMs - checkedAtMs >= pace.checkMs) {
        checkedAtMs = askedAtMs;
        await checkPrimary(probe, asking);
        await this.#checkHistory(probe, asking);
      }
      const waitMs = this.#raiser.unsettled === null ? pace.probeMs : pace.settleMs;
      await sleep(waitMs, undefined, { signal });
    }
  }

  /** Numbers of transactions mean what they have meant. */
  async #checkHistory(probe: MonitorConnection, signal: AbortSignal): Promise<void> {
    const before = this.#history;
    const now = await readHistory(probe, signal);
    if (before !== null && now !== null && isBroken(before, now)) throw resetSuspension();
    // By a second more or less it is the same still.
    if (before === null || now === null || !isSameStart(before, now)) this.#history = now;
    this.#options.epochs.history = this.#history === null ? 0 : historyNumber(this.#history);
  }

  /** Behind the end of the binlog that was read: no end of another history is taken for one of this. */
  async #checkResets(probe: MonitorConnection, signal: AbortSignal): Promise<void> {
    const resets = await readResets(probe, signal);
    if (this.#history !== null && !Number.isNaN(resets) && resets !== this.#history.resets)
      throw resetSuspension();
  }

  async #settle(probe: MonitorConnection, end: BinlogEnd, signal: AbortSignal): Promise<void> {
    this.#raiser.settle(NOT_VISIBLE);
    if (this.#raiser.unsettled === null) return;
    const { executed } = end;
    if (executed !== null) {
      const isExecuted = ({ gtid }: Unsettled): boolean => gtid === null || hasExecuted(executed, gtid);
      this.#raiser.settle((one) => !one.isSeenLate && isExecuted(one));
      const first = this.#raiser.unsettled;
      if (first === null || !isExecuted(first) || (await isXaCommitting(probe, signal))) return;
      this.#raiser.settle(isExecuted);
      return;
    }
    const visible = await readVisiblePlace(probe, signal);
    if (visible !== null) this.#raiser.settle((one) => isBehind(one, visible));
  }

  #confirm(): void {
    if (!this.#watch.confirm(this.#place, this.#raiser.unsettled)) return;
    const isAnew = !this.#isWhole;
    this.#positions.publish(this.#raiser.unsettled === null ? null : this.#raiser.settledPosition);
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#isWhole = true;
    this.#options.confirmed(isAnew);
  }
}

function resetSuspension(): FollowerSuspension {
  return new FollowerSuspension('binlog-reset', 'the server has executed RESET');
}

const NOT_VISIBLE = (): boolean => false;

function hasExecuted(
  executed: NonNullable<BinlogEnd['executed']>,
  { prefix, sequence }: StreamGtid,
): boolean {
  return intervalsHave(executed.get(prefix.slice(0, -1)), sequence);
}
