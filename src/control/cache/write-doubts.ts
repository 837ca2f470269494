/**
 * Writes that a server may carry out although nobody waits for them any more: their connection was lost or closed, their
 * worker has crashed, or MariaDB has put them off (INSERT DELAYED). What they have in flux stays so until their thread on the
 * server has ended, and no row that was put off waits; is raised then, and out of flux. A server that is not the primary any more has nothing to say: a new term has raised everything.
 *
 * Period: from `FIRST_MS` up to `LONGEST_MS`, only while there are such writes.
 * Effect: flux ends, epochs and structures are raised.
 * Stop:   `stop()`; what is in flux then stays so.
 */

import type { Logger } from '../../common/logger.ts';
import { ANY_WRITE_SLOT, type SharedGtids, UNKNOWN_TABLES_SLOT } from '../../common/shared-gtids.ts';
import type { Snapshot, SnapshotServer } from '../../common/snapshot.ts';
import { EVERYTHING, type TableEpochs } from '../../common/table-epochs.ts';
import type { WriteInDoubt } from '../../common/thread-messages.ts';
import { KeptLink, settledPrimary } from '../failover/servers/kept-link.ts';
import type { ServerLink } from '../failover/servers/server-link.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import { describeError } from '../monitor/server-error.ts';

export interface WriteDoubtsOptions {
  readonly epochs: TableEpochs;
  readonly gtids: SharedGtids;
  /** The primary is to be asked where it is. */
  readonly gtidsWanted: () => void;
  /** It may have changed which tables belong together; everything is in flux until that is known. */
  readonly schemaChanged: () => void;
  /** As workers have it now. */
  readonly snapshot: () => Snapshot;
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  readonly logger: Logger;
  /** When a lost connection has nothing more to send for certain; `FORGOTTEN_MS` unless a test says so. */
  readonly forgottenMs?: number;
}

interface Doubt {
  readonly slots: readonly number[];
  /** By address: threads that have not been seen to end. */
  readonly threads: Map<string, Set<number>>;
  /** Addresses: rows may have been put off there. Asked when the threads have ended. */
  readonly deferred: Set<string>;
  readonly sinceMs: number;
  readonly isSchema: boolean;
  isTold: boolean;
}

interface ProcessRow {
  readonly id: number;
  readonly isAsleep: boolean;
  /** In this state, or at this statement. */
  readonly seconds: number;
}

const FIRST_MS = 5;
const LONGEST_MS = 500;
/** After this long operators are told. */
const TOLD_MS = 5000;
/**
 * For as long the kernel may try to get through what a closed connection had still to send, over a network that does not
 * answer. A thread that sleeps then, or does something that began later, is done with what was sent.
 */
const FORGOTTEN_MS = 150_000;
/** What the server's seconds may be off by. */
const SECONDS_MARGIN = 2;

/** The server needs some time to get at a table that others read. */
const FIRST_DEFERRED_MS = 20;
/**
 * Rows that were put off are counted until they are written, by threads that show another state than this until others can
 * see the rows: so the number is asked for first.
 */
const ROWS_WAITING = "SHOW GLOBAL STATUS LIKE 'Not_flushed_delayed_rows'";
const WRITERS_AT_WORK = `SELECT COUNT(*) AS count FROM information_schema.PROCESSLIST
  WHERE COMMAND = 'Delayed insert' AND COALESCE(STATE, '') <> 'Waiting for INSERT'`;

/** An account without PROCESS sees its own threads only: a thread that it does not see may run all the same. */
const SEES_ALL = `SELECT
  (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS'
    AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''))
  + (SELECT COUNT(*) FROM information_schema.PROCESSLIST
    WHERE USER NOT IN (SUBSTRING_INDEX(CURRENT_USER(), '@', 1), SUBSTRING_INDEX(USER(), '@', 1))) AS count`;

export class WriteDoubts {
  readonly #options: WriteDoubtsOptions;
  #doubts: Doubt[] = [];
  readonly #link: KeptLink;
  #isRunning = false;
  #isStopped = false;
  #wake: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Why the threads of the primary cannot be looked at; '' where they can. */
  #obstacle = '';

  constructor(options: WriteDoubtsOptions) {
    this.#options = options;
    this.#link = new KeptLink(options);
  }

  /** How many there are now. */
  get count(): number {
    return this.#doubts.length;
  }

  received(worker: number, { address, threadId, slots, isSchema }: WriteInDoubt): void {
    for (const slot of slots) this.#options.epochs.takeOver(worker, slot);
    const threads = new Map(threadId === null ? [] : [[address, new Set([threadId])]]);
    this.#add(slots, threads, [address], isSchema);
  }

  /** It has crashed, or was stopped: whatever it had sent may still be carried out. */
  workerEnded(worker: number): void {
    const { epochs, snapshot } = this.#options;
    const writers = epochs.takeWriters(worker);
    const slots = epochs.takeOverAll(worker);
    if (slots.length === 0) return;
    const threads = new Map<string, Set<number>>();
    for (const { server, threadId } of writers) {
      const address = snapshot().servers.find(({ slot }) => slot === server)?.address;
      if (address === undefined) continue;
      const known = threads.get(address);
      if (known === undefined) threads.set(address, new Set([threadId]));
      else known.add(threadId);
    }
    this.#add(slots, threads, threads.keys(), slots.includes(EVERYTHING));
  }

  /** A snapshot has been published: there may be another primary. */
  follow(): void {
    this.#wake?.();
  }

  /** The monitor's account is another one. */
  restart(): void {
    this.#link.close();
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  #add(
    slots: readonly number[],
    threads: Map<string, Set<number>>,
    addresses: Iterable<string>,
    isSchema: boolean,
  ): void {
    const deferred = new Set(addresses);
    this.#doubts.push({ slots, threads, deferred, sinceMs: performance.now(), isSchema, isTold: false });
    if (!this.#isRunning) void this.#run();
    else this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let waitMs = FIRST_MS;
    let before = 0;
    while (this.#doubts.length > 0 && !this.#isStopped) {
      await this.#look();
      this.#tell();
      const firstMs = this.#doubts.some(({ threads }) => threads.size > 0) ? FIRST_MS : FIRST_DEFERRED_MS;
      waitMs = this.#doubts.length > before ? firstMs : Math.min(waitMs * 2, LONGEST_MS);
      before = this.#doubts.length;
      if (before > 0 && !this.#isStopped) await this.#pause(waitMs);
    }
    this.#link.close();
    this.#isRunning = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        this.#wake = null;
        resolve();
      };
      this.#wake = wake;
      this.#timer = setTimeout(wake, ms);
      this.#timer.unref();
    });
  }

  async #look(): Promise<void> {
    const primary = settledPrimary(this.#options.snapshot());
    // Nobody can say yet whose history goes on.
    if (primary === null) return;
    for (const { threads, deferred } of this.#doubts)
      for (const address of [...threads.keys(), ...deferred])
        if (address !== primary.address) {
          threads.delete(address);
          deferred.delete(address);
        }
    const asked = this.#doubts.filter(({ threads }) => threads.has(primary.address));
    if (asked.length > 0) await this.#ask(primary, asked);
    const putOff = this.#doubts.filter(({ threads, deferred }) => threads.size === 0 && deferred.size > 0);
    if (putOff.length > 0 && (await this.#hasCaughtUp(primary)))
      for (const { deferred } of putOff) deferred.clear();
    this.#doubts = this.#doubts.filter((doubt) => {
      if (doubt.threads.size > 0 || doubt.deferred.size > 0) return true;
      this.#end(doubt);
      return false;
    });
  }

  async #ask(primary: SnapshotServer, asked: readonly Doubt[]): Promise<void> {
    const { address } = primary;
    const ids = asked.flatMap(({ threads }) => [...(threads.get(address) ?? [])]);
    try {
      const link = this.#link.to(primary);
      const found = await link.query(
        `SELECT ID AS id, COMMAND AS command, TIME AS seconds FROM information_schema.PROCESSLIST WHERE ID IN (${ids.join(', ')})`,
      );
      if (!(await this.#seesAll(link))) return;
      const rows = found.map(({ id, command, seconds }): ProcessRow => {
        return { id: Number(id), isAsleep: command === 'Sleep', seconds: Number(seconds) };
      });
      for (const doubt of asked) this.#seen(doubt, address, rows);
    } catch (error) {
      this.#obstacle = describeError(error);
    }
  }

  /** No row waits that was put off when this is called. */
  async #hasCaughtUp(primary: SnapshotServer): Promise<boolean> {
    if (primary.flavor === 'mysql') return true;
    try {
      const link = this.#link.to(primary);
      const [waiting] = await link.query(ROWS_WAITING);
      const [working] = await link.query(WRITERS_AT_WORK);
      if (!(await this.#seesAll(link))) return false;
      return Number(waiting?.Value ?? 0) === 0 && Number(working?.count) === 0;
    } catch (error) {
      this.#obstacle = describeError(error);
      return false;
    }
  }

  /** Whether what the connection was told of threads is all of them. */
  async #seesAll(link: ServerLink): Promise<boolean> {
    const [sees] = await link.query(SEES_ALL);
    if (Number(sees?.count ?? 0) > 0) {
      this.#obstacle = '';
      return true;
    }
    this.#obstacle = 'the monitor account lacks PROCESS: GRANT PROCESS ON *.* to it';
    // A connection keeps the privileges that it began with.
    this.#link.close();
    return false;
  }

  #seen({ threads, sinceMs }: Doubt, address: string, rows: readonly ProcessRow[]): void {
    const wanted = threads.get(address);
    if (wanted === undefined) return;
    const ageMs = performance.now() - sinceMs;
    for (const threadId of wanted) {
      const row = rows.find(({ id }) => id === threadId);
      if (row === undefined || this.#isForgotten(row, ageMs)) wanted.delete(threadId);
    }
    if (wanted.size === 0) threads.delete(address);
  }

  /** Nobody has told the server that the connection has gone, or it is another one's thread with the same number. */
  #isForgotten({ isAsleep, seconds }: ProcessRow, ageMs: number): boolean {
    const forgottenMs = this.#options.forgottenMs ?? FORGOTTEN_MS;
    if (ageMs < forgottenMs) return false;
    return isAsleep || (seconds + SECONDS_MARGIN) * 1000 < ageMs - forgottenMs / 2;
  }

  #end({ slots, isSchema, isTold, sinceMs }: Doubt): void {
    if (isSchema) this.#options.schemaChanged();
    const { epochs, gtids, gtidsWanted, logger } = this.#options;
    // No replica is known to have it: what is read next comes from the primary.
    for (const slot of slots) gtids.setUnknown(slot === EVERYTHING ? UNKNOWN_TABLES_SLOT : slot);
    gtids.setUnknown(ANY_WRITE_SLOT);
    gtidsWanted();
    for (const slot of slots) epochs.raiseStructure(slot);
    for (const slot of slots) epochs.release(slot);
    const seconds = Math.round((performance.now() - sinceMs) / 1000);
    if (isTold) logger.info('a write that nobody waited for has ended', { seconds });
  }

  #tell(): void {
    const now = performance.now();
    for (const doubt of this.#doubts) {
      if (doubt.isTold || now - doubt.sinceMs < TOLD_MS) continue;
      doubt.isTold = true;
      const [server = [...doubt.deferred][0] ?? '', threads = new Set<number>()] =
        [...doubt.threads][0] ?? [];
      this.#options.logger.warn('a write that nobody waits for may still run: its tables are not cached', {
        server,
        threads: [...threads].slice(0, 10),
        tables: doubt.slots.length,
        reason: this.#obstacle || (doubt.threads.size > 0 ? 'its thread has not ended' : 'it was put off'),
      });
    }
  }
}
