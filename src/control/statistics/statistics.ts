/** What the admin port, the metrics and the history know of statements: shared memory, and answers of the workers. */

import type { ErrorRecord, Inspection, InspectSubject } from '../../common/inspection.ts';
import { type SharedStatistics, StatementCounter } from '../../common/shared-statistics.ts';
import type { InspectResult } from '../worker-inquiries.ts';
import type { CheckLog } from './check-log.ts';
import { type DigestRow, mergeDigests, mergeErrors } from './merge-digests.ts';
import { PoolStatistics } from './pool-statistics.ts';
import { SharedAnswer } from './shared-answer.ts';

export interface StatisticsOptions {
  readonly shared: SharedStatistics;
  readonly checks: CheckLog;
  /** Numbers of the workers. */
  readonly workers: () => readonly number[];
  readonly inspect: (inspection: Inspection) => Promise<InspectResult>;
}

export interface Answered<Row> {
  readonly rows: readonly Row[];
  /** Numbers of the workers whose part is missing. */
  readonly missing: readonly number[];
}

function rowsOf({ rows }: Answered<unknown>): number {
  return rows.length;
}

export class Statistics {
  readonly #options: StatisticsOptions;
  readonly pools = new PoolStatistics();
  readonly #digests = new SharedAnswer(() => this.#askDigests(false), rowsOf);
  readonly #errors = new SharedAnswer(() => this.#askErrors(false), rowsOf);

  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  /** The last runs of the monitor's checks. */
  get checks(): CheckLog {
    return this.#options.checks;
  }

  /** @param reset they are counted anew; what was counted is in this answer, and in no other one. */
  digests(reset: boolean): Promise<Answered<DigestRow>> {
    return reset ? this.#askDigests(true) : this.#digests.get();
  }

  /** @param reset as for digests. */
  errors(reset: boolean): Promise<Answered<ErrorRecord>> {
    return reset ? this.#askErrors(true) : this.#errors.get();
  }

  async #askDigests(reset: boolean): Promise<Answered<DigestRow>> {
    const before = this.#floors();
    const { digests, missing } = await this.#ask('digests', reset);
    return { rows: await mergeDigests(digests, reset ? before : this.#floors()), missing };
  }

  async #askErrors(reset: boolean): Promise<Answered<ErrorRecord>> {
    const { errors, missing } = await this.#ask('errors', reset);
    return { rows: mergeErrors(errors), missing };
  }

  #floors(): Map<number, number> {
    const { shared, workers } = this.#options;
    return new Map(workers().map((index) => [index, shared.worker(index).get(StatementCounter.digestFloor)]));
  }

  #ask(subject: InspectSubject, reset: boolean): Promise<InspectResult> {
    return this.#options.inspect({ subject, connectionId: null, limit: Number.MAX_SAFE_INTEGER, reset });
  }
}
