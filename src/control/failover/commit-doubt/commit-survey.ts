/**
 * Finds out what has become of COMMITs whose answers were lost. A savepoint with a name of its own stands in front of
 * each of them (see src/data/replay/commit-tag.ts): who is primary when the dust has settled either has it in its binlog
 * or has not.
 *
 * - A server that has taken over has everything it will ever get of the old one; what it has not got is not there.
 * - Where it is the same server as before (only the connection was lost, or it has restarted), the session's thread must
 *   have ended: until then the COMMIT may still be carried out.
 *
 * Nothing is said before one of them is reached: without a primary all wait, each up to its own deadline.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type CommitDoubt, CommitOutcome, type CommitTruth } from '../../../common/commit-outcome.ts';
import type { Logger } from '../../../common/logger.ts';
import { ER_SPECIFIC_ACCESS_DENIED_ERROR } from '../../../common/server-errno.ts';
import type { CommitInDoubt, CommitResolved } from '../../../common/thread-messages.ts';
import type { MonitorCredentials, MonitorTarget } from '../../monitor/monitor-connection.ts';
import { describeError, errnoOf } from '../../monitor/server-error.ts';
import { KeptLink } from '../servers/kept-link.ts';
import type { ServerLink } from '../servers/server-link.ts';
import type { BinlogPosition, BinlogPositions } from './binlog-positions.ts';
import { findCommittedTags } from './binlog-scan.ts';

export interface SurveyedPrimary extends MonitorTarget {
  readonly address: string;
}

export interface CommitSurveyOptions {
  /** Who takes writes now: null while nobody does, or it is not yet decided who. */
  readonly primary: () => SurveyedPrimary | null;
  readonly positions: Pick<BinlogPositions, 'before'>;
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  readonly tell: (worker: number, message: CommitResolved) => void;
  readonly logger: Logger;
}

interface Pending {
  readonly worker: number;
  readonly doubt: CommitDoubt;
  readonly giveUpAtMs: number;
  /** Why it is not resolved yet. */
  reason: string;
}

const RETRY_MS = 25;

export class CommitSurvey {
  readonly #options: CommitSurveyOptions;
  #pending: Pending[] = [];
  readonly #link: KeptLink;
  #isRunning = false;
  #isStopped = false;

  constructor(options: CommitSurveyOptions) {
    this.#options = options;
    this.#link = new KeptLink(options);
  }

  received(worker: number, { doubt }: CommitInDoubt): void {
    const reason = 'there was no primary that could be asked';
    this.#pending.push({ worker, doubt, giveUpAtMs: Date.now() + doubt.waitMs, reason });
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pending = [];
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#pending.length > 0 && !this.#isStopped) {
        const primary = this.#options.primary();
        if (primary !== null) await this.#survey(primary, this.#link.to(primary));
        this.#giveUp();
        if (this.#pending.length > 0) await delay(RETRY_MS);
      }
    } finally {
      this.#link.close();
      this.#isRunning = false;
    }
  }

  async #survey(primary: SurveyedPrimary, link: ServerLink): Promise<void> {
    const asked = this.#pending;
    const run = (sql: string) => link.query(sql);
    try {
      const settled = await this.#withoutThread(primary, asked, run);
      const askable = settled.flatMap((pending) => this.#withPosition(primary, pending));
      if (askable.length === 0) return;
      const from = askable.map(({ position }) => position).reduce(earlier);
      const committed = await findCommittedTags(run, from, new Set(askable.map(({ tag }) => tag)));
      // Whoever was asked may be another server by now, or none: then it is asked again.
      if (this.#options.primary()?.address !== primary.address) return;
      for (const { pending, tag } of askable) this.#found(pending, committed.has(tag));
    } catch (error) {
      this.#failed(primary, asked, error);
    }
  }

  /** On the server that the COMMIT was sent to, it is over only when its thread is. */
  async #withoutThread(
    primary: SurveyedPrimary,
    asked: readonly Pending[],
    run: (sql: string) => Promise<readonly { readonly [column: string]: string | null }[]>,
  ): Promise<readonly Pending[]> {
    const here = asked.filter(({ doubt }) => doubt.address === primary.address);
    if (here.length === 0) return asked;
    const ids = here.map(({ doubt }) => doubt.threadId).join(', ');
    const rows = await run(`SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID IN (${ids})`);
    const alive = new Set(rows.map(({ id }) => Number(id)));
    return asked.filter((pending) => {
      const isOver = pending.doubt.address !== primary.address || !alive.has(pending.doubt.threadId);
      if (!isOver)
        pending.reason = `its thread ${pending.doubt.threadId} on ${primary.address} has not ended`;
      return isOver;
    });
  }

  #withPosition(
    primary: SurveyedPrimary,
    pending: Pending,
  ): { pending: Pending; tag: string; position: BinlogPosition }[] {
    const { tag, sentAtMs } = pending.doubt;
    const position = this.#options.positions.before(primary.address, sentAtMs);
    if (position !== null) return [{ pending, tag, position }];
    const reason = `it is not known where the binlog of ${primary.address} ended before`;
    this.#resolve(pending, { outcome: CommitOutcome.unknown, reason });
    return [];
  }

  #found(pending: Pending, isThere: boolean): void {
    const outcome = isThere ? CommitOutcome.committed : CommitOutcome.rolledBack;
    this.#resolve(pending, { outcome, reason: '' });
  }

  #failed({ address }: SurveyedPrimary, asked: readonly Pending[], error: unknown): void {
    // Of a ServerOrderError the text begins with the address.
    const text = describeError(error);
    const reason = text.startsWith(address) ? text : `${address}: ${text}`;
    const isFinal = errnoOf(error) === ER_SPECIFIC_ACCESS_DENIED_ERROR;
    for (const pending of asked) {
      pending.reason = reason;
      if (isFinal) this.#resolve(pending, { outcome: CommitOutcome.unknown, reason });
    }
  }

  #giveUp(): void {
    const nowMs = Date.now();
    for (const pending of this.#pending) {
      if (nowMs < pending.giveUpAtMs) continue;
      this.#resolve(pending, { outcome: CommitOutcome.unknown, reason: pending.reason });
    }
  }

  #resolve(pending: Pending, truth: CommitTruth): void {
    if (!this.#pending.includes(pending)) return;
    this.#pending = this.#pending.filter((one) => one !== pending);
    const { tag, address } = pending.doubt;
    this.#options.logger.info('COMMIT in doubt', { server: address, tag, ...truth });
    this.#options.tell(pending.worker, { type: 'commitResolved', tag, truth });
  }
}

function earlier(one: BinlogPosition, other: BinlogPosition): BinlogPosition {
  const byFile = one.file.localeCompare(other.file, 'en', { numeric: true });
  return byFile < 0 || (byFile === 0 && one.offset <= other.offset) ? one : other;
}
