/**
 * What a worker counts of its statements: told of each one at its end. Commands and times go to shared memory, digests
 * and errors stay here until somebody asks. Nothing is allocated for a statement whose digest has a place.
 */

import {
  NO_HOSTGROUP,
  type SharedStatistics,
  StatementCounter,
  StatementSort,
  type WorkerStatistics,
} from '../../common/shared-statistics.ts';
import type { SnapshotSettings } from '../../common/snapshot.ts';
import { countedAs } from '../../sql/counted-as.ts';
import type { Plan } from '../router/plan.ts';
import { type RingEntry, RingFlag } from '../router/route-ring.ts';
import { DigestSketch, type StatementSample } from './digest-sketch.ts';
import { ErrorTable } from './error-table.ts';
import { type StatementContext, StatementContexts } from './statement-context.ts';

export type StatisticsSettings = SnapshotSettings['statistics'];

/** Of `performance.now()` of this thread. */
const TIME_ORIGIN_MS = performance.timeOrigin;

/** Filled and read at once: one for all statements of the thread. */
const sample: StatementSample = {
  hostgroup: NO_HOSTGROUP,
  durationMicros: 0,
  waitMicros: 0,
  rowsSent: 0,
  rowsAffected: 0,
  bytes: 0,
  errno: 0,
  routeSlot: -1,
  atSeconds: 0,
};

const LONGEST_MICROS = 2 ** 31 - 1;

export class StatementStatistics {
  readonly counters: WorkerStatistics;
  #settings: StatisticsSettings;
  #digests: DigestSketch;
  readonly errors: ErrorTable;
  readonly #contexts: StatementContexts;
  /** Of sketches that were taken out. */
  #forgottenBefore = 0;

  /** @param seed secret, see `StatementContexts`. */
  constructor(shared: SharedStatistics, workerIndex: number, settings: StatisticsSettings, seed: number) {
    this.counters = shared.worker(workerIndex);
    this.#settings = settings;
    this.#digests = new DigestSketch(limitsOf(settings));
    this.errors = new ErrorTable(settings.errorEntries);
    this.#contexts = new StatementContexts(seed);
  }

  get enabled(): boolean {
    return this.#settings.enabled;
  }

  get digests(): DigestSketch {
    return this.#digests;
  }

  /** Other sizes begin anew. */
  update(settings: StatisticsSettings): void {
    const { entries, bytes, textBytes } = this.#digests.limits;
    this.#settings = settings;
    this.errors.resize(settings.errorEntries);
    if (
      settings.enabled &&
      entries === settings.digestEntries &&
      bytes === settings.digestBytes &&
      textBytes === settings.digestTextBytes
    )
      return;
    this.takeDigests();
    if (!settings.enabled) this.errors.clear();
  }

  /** What has been counted of digests up to now; from now on they are counted anew. */
  takeDigests(): DigestSketch {
    const taken = this.#digests;
    this.#forgottenBefore += taken.forgotten;
    this.#digests = new DigestSketch(limitsOf(this.#settings));
    return taken;
  }

  /** Of a session, for its statements. `known` is the one before, which often is the right one. */
  contextOf(
    known: StatementContext | null,
    username: string,
    schema: string | null,
    client: string,
  ): StatementContext {
    const wanted = schema ?? '';
    const address = this.#settings.trackClientAddress ? hostOf(client) : '';
    if (
      known !== null &&
      known.schema === wanted &&
      known.username === username &&
      known.clientAddress === address
    )
      return known;
    return this.#contexts.of(username, wanted, address);
  }

  /** A statement has ended. */
  ended(entry: RingEntry, plan: Plan, context: StatementContext, hostgroup: number): void {
    const { counters } = this;
    const elapsed = Math.round((entry.endedAtMs - entry.beganAtMs) * 1000);
    const micros = elapsed < 0 ? 0 : Math.min(elapsed, LONGEST_MICROS);
    const waitMicros = Math.round(entry.waitMs * 1000);
    if (plan.counted === null) plan.counted = countedAs(plan.statement, plan.normalized);
    const { place, special } = plan.counted;
    const sort = plan.statement.provenRead ? StatementSort.read : StatementSort.write;
    counters.addStatement(place, hostgroup, sort, micros);
    counters.add(StatementCounter.statements);
    if (special !== null) counters.add(special);
    if (micros > this.#settings.longQueryMs * 1000) counters.add(StatementCounter.slow);
    if (entry.server !== null) counters.add(StatementCounter.backendMicros, Math.max(0, micros - waitMicros));
    if (waitMicros > 0) counters.add(StatementCounter.waitMicros, waitMicros);
    const hasRows = (entry.flags & RingFlag.resultSet) !== 0;
    counters.add(hasRows ? StatementCounter.rowsSent : StatementCounter.rowsAffected, entry.rows);
    if (entry.errno !== 0) counters.add(StatementCounter.errors);
    sample.hostgroup = hostgroup;
    sample.durationMicros = micros;
    sample.waitMicros = waitMicros;
    sample.rowsSent = hasRows ? entry.rows : 0;
    sample.rowsAffected = hasRows ? 0 : entry.rows;
    sample.bytes = entry.bytes;
    sample.errno = entry.errno;
    sample.routeSlot = entry.route === null ? -1 : entry.route.slot;
    sample.atSeconds = Math.floor((TIME_ORIGIN_MS + entry.endedAtMs) / 1000);
    this.#digests.add(plan, context, sample);
  }

  /** It has ended in an error. */
  failed(entry: RingEntry, context: StatementContext, hostgroup: number, message: string): void {
    const { username, schema } = context;
    const place = {
      hostgroup,
      server: entry.server ?? '',
      username,
      schema,
      clientAddress: hostOf(entry.client),
      errno: entry.errno,
    };
    this.errors.add(place, message, Math.floor((TIME_ORIGIN_MS + entry.endedAtMs) / 1000));
  }

  /** Puts into shared memory what only this thread knows. */
  publish(): void {
    const { counters } = this;
    counters.set(StatementCounter.digests, this.#digests.size);
    counters.set(StatementCounter.digestBytes, this.#digests.bytes);
    counters.set(StatementCounter.digestsForgotten, this.#forgottenBefore + this.#digests.forgotten);
    counters.set(StatementCounter.digestFloor, this.#digests.floor);
    counters.set(StatementCounter.errorsForgotten, this.errors.forgotten);
  }
}

function limitsOf(settings: StatisticsSettings) {
  const { digestEntries, digestBytes, digestTextBytes } = settings;
  return { entries: digestEntries, bytes: digestBytes, textBytes: digestTextBytes };
}

/** Of `host:port`; '' for a Unix socket. */
function hostOf(client: string): string {
  const colon = client.lastIndexOf(':');
  return colon < 0 ? client : client.slice(0, colon);
}
