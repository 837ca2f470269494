/** Runs a sequence at two endpoints, step by step, and says where they first differ. */

import {
  CaseSession,
  type Endpoint,
  type SessionOptions,
  type StepTranscript,
} from '../differential/case-runner.ts';
import { compareRecords } from '../differential/compare.ts';
import type { WireRecord } from '../differential/wire-record.ts';
import type { LockstepStep } from './generator.ts';

export interface LockstepSides {
  readonly direct: Endpoint;
  readonly proxied: Endpoint;
  /** Makes what sequences write to anew, the same on both sides. */
  reset(): Promise<void>;
  /** Waits until replicas have what was written: a new session does not know what its predecessor wrote. */
  settle(): Promise<void>;
}

export interface LockstepSequence {
  readonly steps: readonly LockstepStep[];
  /** Capabilities of each session beyond the usual ones. */
  readonly capabilities: readonly number[];
}

export interface Difference {
  readonly index: number;
  readonly what: string;
}

const SESSION: SessionOptions = {
  user: 'app',
  schema: 'diff',
  collationId: 45,
  capabilities: ['multiStatements', 'localFiles'],
  withoutCapabilities: [],
};

/** SERVER_QUERY_NO_GOOD_INDEX_USED, …_NO_INDEX_USED, …_WAS_SLOW: of plans and time, which two servers need not share. */
const OF_THE_PLAN = 16 | 32 | 2048;

/** The number of a session: locks of the one before, which may not be gone yet, are another's. */
let openedSessions = 0;

class Pair {
  readonly #sides: LockstepSides;
  readonly #capabilities: number;
  #both: readonly [CaseSession, CaseSession] | null = null;

  constructor(sides: LockstepSides, capabilities: number) {
    this.#sides = sides;
    this.#capabilities = capabilities;
  }

  /** Null for no difference. A session that has ended on both sides does nothing until it connects again. */
  async run({ step }: LockstepStep): Promise<string | null> {
    if ('reconnect' in step || this.#both === null) {
      const opened = await this.#open();
      if (opened !== null || 'reconnect' in step) return opened;
    }
    const [direct, proxied] = this.#both ?? [];
    if (direct === undefined || proxied === undefined || 'reconnect' in step) return null;
    const [left, right] = await Promise.all([direct.run(step), proxied.run(step)]);
    const difference = compare(left, right);
    if (difference !== null) return difference;
    if (direct.idle !== proxied.idle) return 'more bytes than asked for, on one side';
    const broken = proxied.sequenceErrors[0];
    if (broken !== undefined) return `proxied: ${broken}`;
    if ('resetConnection' in step || 'changeUser' in step) await this.#sides.settle();
    if (left.records.at(-1)?.kind === 'closed') this.close();
    return null;
  }

  close(): void {
    for (const one of this.#both ?? []) one.close();
    this.#both = null;
  }

  async #open(): Promise<string | null> {
    this.close();
    await this.#sides.settle();
    const number = ++openedSessions;
    this.#both = await Promise.all([
      CaseSession.open(SESSION, this.#sides.direct, this.#capabilities, number),
      CaseSession.open(SESSION, this.#sides.proxied, this.#capabilities, number),
    ]);
    return compare(this.#both[0].opening, this.#both[1].opening);
  }
}

export async function runLockstep(
  sides: LockstepSides,
  sequence: LockstepSequence,
): Promise<Difference | null> {
  await sides.reset();
  const pairs = sequence.capabilities.map((capabilities) => new Pair(sides, capabilities));
  try {
    for (const [index, one] of sequence.steps.entries()) {
      const what = await (pairs[one.session - 1] as Pair).run(one);
      if (what !== null) return { index, what };
    }
    return null;
  } finally {
    for (const pair of pairs) pair.close();
  }
}

function compare(direct: StepTranscript, proxied: StepTranscript): string | null {
  const records = ({ records }: StepTranscript): WireRecord[] => records.map(withoutPlan);
  return compareRecords(records(direct), records(proxied), direct.label, direct.ignore);
}

function withoutPlan(record: WireRecord): WireRecord {
  const { status } = record.fields;
  if (typeof status !== 'number') return record;
  return { ...record, fields: { ...record.fields, status: status & ~OF_THE_PLAN } };
}
