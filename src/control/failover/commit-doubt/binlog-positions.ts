/**
 * Where the binlog of each server ended, and when: so that a search in it can begin shortly before a moment that has
 * passed.
 *
 * Period: `SAMPLE_MS`, as long as COMMITs in doubt are to be resolved.
 * Effect: `before()` knows the last minute of each server.
 * Stop:   `stop()`.
 */

import type { Clock } from '../../../common/clock.ts';
import type { SnapshotServer } from '../../../common/snapshot.ts';
import { isSameTls } from '../../../topology/server-description.ts';
import { CheckInterval } from '../../monitor/check-interval.ts';
import { KeptConnection } from '../../monitor/kept-connection.ts';
import type { MonitorConnection, MonitorCredentials } from '../../monitor/monitor-connection.ts';

export interface BinlogPosition {
  readonly file: string;
  readonly offset: number;
}

const SAMPLE_MS = 1000;
const KEPT_SAMPLES = 90;

export interface BinlogPositionsOptions {
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  readonly clock: Clock;
}

export class BinlogPositions {
  readonly #options: BinlogPositionsOptions;
  readonly #loops = new Map<string, PositionLoop>();

  constructor(options: BinlogPositionsOptions) {
    this.#options = options;
  }

  /** Every one of these has a loop, nobody else has. */
  follow(servers: readonly SnapshotServer[]): void {
    const wanted = new Set(servers.map(({ address }) => address));
    for (const server of servers) {
      const known = this.#loops.get(server.address);
      if (known !== undefined && isSameTls(known.server.tls, server.tls)) continue;
      known?.stop();
      this.#loops.set(server.address, new PositionLoop(server, this.#options));
    }
    for (const [address, loop] of this.#loops) {
      if (wanted.has(address)) continue;
      loop.stop();
      this.#loops.delete(address);
    }
  }

  /** The end of the server's binlog at some moment before this one (milliseconds since the epoch); null: not known. */
  before(address: string, atMs: number): BinlogPosition | null {
    return this.#loops.get(address)?.before(atMs) ?? null;
  }

  /** Other credentials, or time-outs: connections are opened anew, what is known stays so. */
  restart(): void {
    for (const loop of this.#loops.values()) loop.restart();
  }

  stop(): void {
    for (const loop of this.#loops.values()) loop.stop();
    this.#loops.clear();
  }
}

interface Sample extends BinlogPosition {
  readonly atMs: number;
}

class PositionLoop {
  readonly server: SnapshotServer;
  readonly #options: BinlogPositionsOptions;
  readonly #samples: Sample[] = [];
  #kept: KeptConnection;
  #interval: CheckInterval<void>;

  constructor(server: SnapshotServer, options: BinlogPositionsOptions) {
    this.server = server;
    this.#options = options;
    this.#kept = this.#newConnection();
    this.#interval = this.#newInterval();
    void this.#interval.start();
  }

  before(atMs: number): BinlogPosition | null {
    return this.#samples.findLast((sample) => sample.atMs < atMs) ?? null;
  }

  restart(): void {
    this.stop();
    this.#kept = this.#newConnection();
    this.#interval = this.#newInterval();
    void this.#interval.start();
  }

  stop(): void {
    void this.#interval.stop();
    this.#kept.close();
  }

  #newConnection(): KeptConnection {
    const { host, port, tls } = this.server;
    return new KeptConnection({ host, port, tls }, this.#options.credentials(), () => undefined);
  }

  #newInterval(): CheckInterval<void> {
    const { timeoutMs, clock } = this.#options;
    return new CheckInterval<void>({
      periodMs: () => SAMPLE_MS,
      timeoutMs: timeoutMs(),
      check: (signal) => this.#sample(signal),
      // Who asks for a position that is not there finds out.
      report: () => undefined,
      clock,
    });
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const kept = this.#kept;
    try {
      const end = await endOfBinlog(await kept.get(signal), signal);
      if (end === null) return;
      // When it was answered: the binlog ended there at that moment or before it.
      this.#samples.push({ ...end, atMs: this.#options.clock.wallMs() });
      if (this.#samples.length > KEPT_SAMPLES) this.#samples.shift();
    } catch (error) {
      kept.discard();
      throw error;
    }
  }
}

/** null: the server writes no binlog. */
async function endOfBinlog(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<BinlogPosition | null> {
  const { flavor, id } = connection.version;
  // MySQL 8.4 has the new words only.
  const statement = flavor === 'mysql' && id >= 80_400 ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [row] = await connection.query(statement, signal);
  const { File: file, Position: offset } = row ?? {};
  return file == null || offset == null ? null : { file, offset: Number(offset) };
}
