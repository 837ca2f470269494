/** Everything that a run tells of what it has done; finds out at each read whether it could be so. */

import type { Chain, Change, Unit } from './chain.ts';
import { checkRead, type ReadRecord, type Violation, ViolationKind } from './check-read.ts';
import { type Operation, OperationLog, operationLine } from './operation-log.ts';

export interface FoundViolation extends Violation {
  /** The read itself, as it was sent. */
  readonly operation: Operation | null;
  /** What happened around it, one operation a line. */
  readonly context: readonly string[];
}

export interface HistoryCounts {
  reads: number;
  commits: number;
  rollbacks: number;
  unknown: number;
  /** Acknowledged, and lost with a primary that was allowed to lose it. */
  lost: number;
  violations: number;
}

const KEPT_OPERATIONS = 50_000;
const KEPT_VIOLATIONS = 50;
/** Around a violation; more than any statement of a healthy run takes. */
const CONTEXT_MS = 250;

export class History {
  readonly counts: HistoryCounts = { reads: 0, commits: 0, rollbacks: 0, unknown: 0, lost: 0, violations: 0 };
  readonly byKind = new Map<ViolationKind, number>();
  /** The first ones. */
  readonly violations: FoundViolation[] = [];
  readonly log = new OperationLog(KEPT_OPERATIONS);
  /** Of the reads that were older than their beginning, in milliseconds, by the gate of what they showed. */
  readonly staleness = new Map<string, number[]>();
  #last = 0;
  #waiting: { readonly record: ReadRecord; readonly operation: Operation | null }[] | null = null;

  /** Milliseconds; each call gives a later one, so that no two events are at the same time. */
  now(): number {
    this.#last = Math.max(performance.now(), this.#last + 1e-6);
    return this.#last;
  }

  send(chain: Chain, changes: readonly Change[]): Unit {
    return chain.send(changes, this.now());
  }

  acknowledged(chain: Chain, unit: Unit): void {
    this.counts.commits++;
    chain.acknowledge(unit, this.now());
  }

  /** An error says that nothing of it has happened. */
  takenBack(chain: Chain, unit: Unit): void {
    this.counts.rollbacks++;
    const seenAt = chain.takeBack(unit);
    if (seenAt === Number.POSITIVE_INFINITY) return;
    const cells = unit.changes.map(({ cell, stamp }) => `${cell.name}=${stamp}`).join(' ');
    const message = `a read that ended at ${seenAt.toFixed(3)} had seen ${cells}, which failed`;
    this.report({ kind: ViolationKind.rolledBack, message, chains: [chain] }, null, unit.sentAt);
  }

  rolledBack(chain: Chain, changes: readonly Change[]): void {
    this.counts.rollbacks++;
    chain.discard(changes);
  }

  unknown(chain: Chain): void {
    this.counts.unknown++;
    chain.end();
  }

  /** What is read from now on is looked at when it is known what a dead primary has lost. */
  waitForLosses(): void {
    this.#waiting = [];
  }

  lossesAreKnown(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { record, operation } of waiting) this.read(record, operation);
  }

  read(record: ReadRecord, operation: Operation | null): void {
    if (this.#waiting !== null) {
      this.#waiting.push({ record, operation });
      return;
    }
    this.counts.reads++;
    const { violation, stalenessMs } = checkRead(record);
    if (violation !== null) this.report(violation, operation, record.startedAt - stalenessMs);
    else if (stalenessMs > 0) this.#noteStaleness(record, stalenessMs);
  }

  /** @param from when what is wrong about it began */
  report(violation: Violation, operation: Operation | null, from: number): void {
    this.counts.violations++;
    this.byKind.set(violation.kind, (this.byKind.get(violation.kind) ?? 0) + 1);
    if (this.violations.length >= KEPT_VIOLATIONS) return;
    const now = this.now();
    const least = Math.max(from, now - 5000) - CONTEXT_MS;
    const context = this.log.about(violation.chains, least, now).map(operationLine);
    this.violations.push({ ...violation, operation, context });
  }

  #noteStaleness({ observations, boundMs }: ReadRecord, stalenessMs: number): void {
    const loosest = observations.reduce((a, b) => (boundMs(b.cell.chain) > boundMs(a.cell.chain) ? b : a));
    const { gate } = loosest.cell.chain;
    const known = this.staleness.get(gate);
    if (known === undefined) this.staleness.set(gate, [stalenessMs]);
    else known.push(stalenessMs);
  }
}
