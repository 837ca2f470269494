/** Everything of the main thread that COMMITs in doubt need; idle unless they are to be resolved. */

import { systemClock } from '../../../common/clock.ts';
import type { Logger } from '../../../common/logger.ts';
import type { Snapshot } from '../../../common/snapshot.ts';
import type { CommitInDoubt } from '../../../common/thread-messages.ts';
import type { MonitorCredentials } from '../../monitor/monitor-connection.ts';
import { settledPrimary } from '../servers/kept-link.ts';
import { BinlogPositions } from './binlog-positions.ts';
import { CommitSurvey, type CommitSurveyOptions, type SurveyedPrimary } from './commit-survey.ts';

export interface CommitResolutionOptions {
  /** As workers have it now. */
  readonly snapshot: () => Snapshot;
  /** Writes are held: it is being decided who is primary. */
  readonly isHeld: () => boolean;
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  readonly tell: CommitSurveyOptions['tell'];
  readonly logger: Logger;
}

export class CommitResolution {
  readonly #options: CommitResolutionOptions;
  readonly #positions: BinlogPositions;
  readonly #survey: CommitSurvey;

  constructor(options: CommitResolutionOptions) {
    this.#options = options;
    const { credentials, timeoutMs, tell, logger } = options;
    this.#positions = new BinlogPositions({ credentials, timeoutMs, clock: systemClock });
    const primary = (): SurveyedPrimary | null => this.#primary();
    const positions = this.#positions;
    this.#survey = new CommitSurvey({ primary, positions, credentials, timeoutMs, tell, logger });
  }

  follow({ servers, settings }: Snapshot): void {
    this.#positions.follow(settings.resolveCommits ? servers : []);
  }

  /** The monitor's account or its time-outs are others. */
  restart(): void {
    this.#positions.restart();
  }

  received(worker: number, message: CommitInDoubt): void {
    this.#survey.received(worker, message);
  }

  stop(): void {
    this.#survey.stop();
    this.#positions.stop();
  }

  #primary(): SurveyedPrimary | null {
    if (this.#options.isHeld()) return null;
    return settledPrimary(this.#options.snapshot());
  }
}
