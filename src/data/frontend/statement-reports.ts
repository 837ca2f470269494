/**
 * Decides at the end of a statement whether it goes into the slow-query log or a trace, and makes the record only then:
 * for all the others that is a comparison of numbers, and nothing is allocated.
 */

import type { RouteRecord } from '../../common/inspection.ts';
import { ReportQueue } from '../../common/report-queue.ts';
import { WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';
import type { Snapshot } from '../../common/snapshot.ts';
import { ReportStream, type SpanRecord, type WorkerReport } from '../../common/worker-report.ts';
import { traceParentOf } from '../../sql/trace-parent.ts';
import type { RingEntry } from '../router/route-ring.ts';
import type { ReadStatement, StatementReporting } from '../worker-context.ts';
import { Digests, routeRecord } from './route-record.ts';

/** Not traced, no text: most statements. */
const NOTHING_READ: ReadStatement = { isTraced: false, parent: null, text: null };
const ROOT: ReadStatement = { isTraced: true, parent: null, text: null };

const KEPT_DIGESTS = 1000;

type Settings = Pick<Snapshot['settings'], 'slowQueryLog' | 'tracing'>;

export class StatementReports implements StatementReporting {
  readonly #worker: number;
  readonly #slow: ReportQueue<typeof ReportStream.slowQueries>;
  readonly #spans: ReportQueue<typeof ReportStream.spans>;
  #settings: Settings | null = null;
  #digestBytes = 0;
  #digests = new Digests();
  #flavor: SpanRecord['flavor'] = 'mysql';
  #thresholdMs = Number.POSITIVE_INFINITY;
  /** Whether `read` is to be called for each statement. */
  readsStatements = false;
  #slowOnes = 0;
  #untraced = 0;
  #sequence = 0;

  constructor(worker: number, counters: WorkerCounters, post: (message: WorkerReport) => void) {
    this.#worker = worker;
    const { slowQueries, spans } = ReportStream;
    this.#slow = new ReportQueue(slowQueries, post, () => counters.add(WorkerCounter.slowQueriesDropped));
    this.#spans = new ReportQueue(spans, post, () => counters.add(WorkerCounter.spansDropped));
  }

  apply({ settings, servers }: Snapshot): void {
    const { slowQueryLog, tracing } = settings;
    if (slowQueryLog.maxTextBytes !== this.#digestBytes)
      this.#digests = new Digests(slowQueryLog.maxTextBytes);
    this.#digestBytes = slowQueryLog.maxTextBytes;
    this.#settings = settings;
    const primary = servers.find(({ role }) => role === 'primary') ?? servers[0];
    this.#flavor = primary?.flavor === 'mariadb' ? 'mariadb' : 'mysql';
    this.#thresholdMs = slowQueryLog.thresholdMs;
    this.#slow.limit = slowQueryLog.queueLength;
    this.#spans.limit = tracing.queueLength;
    this.readsStatements = tracing.enabled || slowQueryLog.literals;
  }

  taken(stream: ReportStream, count: number): void {
    if (stream === ReportStream.slowQueries) this.#slow.taken(count);
    else if (stream === ReportStream.spans) this.#spans.taken(count);
  }

  /** @param start of the text in `buffer`. @param isText it is a statement that somebody has written. */
  read(buffer: Buffer, start: number, end: number, isText: boolean): ReadStatement {
    const { tracing, slowQueryLog } = this.#settings!;
    const text = slowQueryLog.literals && isText ? this.#textOf(buffer, start, end) : null;
    if (!tracing.enabled) return text === null ? NOTHING_READ : { ...NOTHING_READ, text };
    const parent = isText ? traceParentOf(buffer, start, end) : null;
    const isTraced = parent === null ? this.#beginsTrace(tracing.sampleEvery) : parent.sampled;
    if (parent === null && text === null) return isTraced ? ROOT : NOTHING_READ;
    return { isTraced, parent, text };
  }

  #beginsTrace(sampleEvery: number): boolean {
    if (sampleEvery === 0 || ++this.#untraced < sampleEvery) return false;
    this.#untraced = 0;
    return true;
  }

  #textOf(buffer: Buffer, start: number, end: number): string {
    const { maxTextBytes } = this.#settings!.slowQueryLog;
    const isWhole = end - start <= maxTextBytes;
    return `${buffer.toString('utf8', start, isWhole ? end : start + maxTextBytes)}${isWhole ? '' : '…'}`;
  }

  /**
   * @param entry is used again for the next statement.
   * @param ruled what a query rule says: log it, do not, or null.
   */
  ended(entry: RingEntry, ruled: boolean | null, read: ReadStatement | null): void {
    const isSlow = entry.endedAtMs - entry.beganAtMs >= this.#thresholdMs;
    if ((isSlow || ruled !== null) && this.#isLogged(isSlow, ruled)) this.#log(entry, read);
    if (read?.isTraced === true && this.#spans.hasRoom())
      this.#spans.add({ route: this.#recordOf(entry), flavor: this.#flavor, parent: read.parent });
  }

  #isLogged(isSlow: boolean, ruled: boolean | null): boolean {
    if (ruled !== null) return ruled;
    const { enabled, sampleEvery } = this.#settings!.slowQueryLog;
    if (!isSlow || !enabled || ++this.#slowOnes < sampleEvery) return false;
    this.#slowOnes = 0;
    return true;
  }

  #log(entry: RingEntry, read: ReadStatement | null): void {
    if (this.#slow.hasRoom()) this.#slow.add({ route: this.#recordOf(entry), text: read?.text ?? null });
  }

  #recordOf(entry: RingEntry): RouteRecord {
    // Texts are kept for digests that come again, but not for all there ever were.
    if (this.#sequence % KEPT_DIGESTS === 0) this.#digests = new Digests(this.#digestBytes);
    return routeRecord(entry, this.#worker, ++this.#sequence, this.#digests);
  }
}
