/** All that is written beside the log: makes its parts, gives them the settings, and hands them what workers report. */

import type { Config } from '../../../config/schema.ts';
import type { RootLogger } from '../../common/logger.ts';
import { type OperatorReport, ReportStream } from '../../common/worker-report.ts';
import type { SpanCounts } from '../metrics/counter-snapshot.ts';
import { AuditLog, type AuditTrail } from './audit-log.ts';
import { LogTarget } from './log-target.ts';
import { slowQueryFields } from './slow-query-fields.ts';
import { Tracing } from './tracing.ts';

const WHAT_IS_DROPPED: Readonly<Record<OperatorReport['stream'], string>> = {
  slowQueries: 'slow statements were not logged: too many at once',
  clientEvents: 'clients that came and went were not logged: too many at once',
  spans: 'spans were not sent: too many at once',
};

export class OperatorLogs {
  readonly #logger: RootLogger;
  readonly #slowQueries: LogTarget;
  readonly #auditTarget: LogTarget;
  readonly #audit: AuditLog;
  readonly #tracing: Tracing;

  /** @throws LogFileError */
  constructor(config: Config, logger: RootLogger, version: string) {
    this.#logger = logger;
    this.#slowQueries = new LogTarget('slowQueryLog.file', logger);
    this.#auditTarget = new LogTarget('auditLog.file', logger);
    this.#audit = new AuditLog(this.#auditTarget, config.auditLog);
    this.#tracing = new Tracing(logger, version);
    this.prepare(config).commit();
  }

  get audit(): AuditTrail {
    return this.#audit;
  }

  /** Of traces, since the start. */
  get spans(): SpanCounts {
    return this.#tracing.counts;
  }

  /**
   * Opens what `config` names, and changes nothing before `commit`.
   * @throws LogFileError
   */
  prepare(config: Config): { commit(): void; abandon(): void } {
    const slowQueries = this.#slowQueries.prepare(config.slowQueryLog.file);
    let audit: ReturnType<LogTarget['prepare']>;
    try {
      audit = this.#auditTarget.prepare(config.auditLog.file);
    } catch (error) {
      slowQueries.abandon();
      throw error;
    }
    return {
      commit: () => {
        slowQueries.commit();
        audit.commit();
        this.#audit.apply(config.auditLog);
        this.#tracing.apply(config.tracing);
        this.#logger.setLevel(config.log.level);
      },
      abandon: () => {
        slowQueries.abandon();
        audit.abandon();
      },
    };
  }

  received(worker: number, report: OperatorReport): void {
    switch (report.stream) {
      case ReportStream.slowQueries:
        for (const record of report.records) this.#slowQueries.write('slow query', slowQueryFields(record));
        break;
      case ReportStream.clientEvents:
        for (const event of report.records) this.#audit.client(worker, event);
        break;
      case ReportStream.spans:
        this.#tracing.add(report.records);
    }
    const { stream, dropped } = report;
    if (dropped > 0) this.#logger.warn(WHAT_IS_DROPPED[stream], { worker, dropped });
  }

  /** For what rotates files: goes on in those that have the configured paths now. */
  reopen(): void {
    this.#slowQueries.reopen();
    this.#auditTarget.reopen();
    this.#logger.info('log files opened again');
  }

  async close(): Promise<void> {
    await this.#tracing.stop();
    this.#slowQueries.close();
    this.#auditTarget.close();
  }
}
