/**
 * How far a replica is behind, and whether that is too far: from samples, with hysteresis. Pure; time comes with the
 * samples.
 *
 * For each limit that holds for a server there is a verdict of its own. `leaveAfter` samples in a row over the limit make
 * it lagging, `returnAfter` in a row under it make it fit again. A sample that failed counts as neither, so that a check
 * that hangs never heals; but who has not been measured for longer than its limit is lagging.
 */

export const LagSource = {
  /** A row that is written on the primary all the time, as the replica has it: exact to its period. */
  heartbeat: 'heartbeat',
  /** The replica's own `Seconds_Behind_Source`: whole seconds, and silent about what it has not received. */
  secondsBehind: 'seconds-behind',
} as const;
export type LagSource = (typeof LagSource)[keyof typeof LagSource];

export interface LagThresholds {
  /** Samples in a row over the limit until lagging. */
  readonly leaveAfter: number;
  /** Samples in a row under the limit until fit again. */
  readonly returnAfter: number;
  /** Who has not been measured for so long, and longer than its limit, is lagging: more than the time between samples. */
  readonly silenceMs: number;
}

export type LagReport =
  /** `lagMs` null: the server answered, and knows of none. `atMs` is of a clock that never goes back. */
  | {
      readonly ok: true;
      readonly atMs: number;
      readonly lagMs: number | null;
      readonly source: LagSource | null;
    }
  | { readonly ok: false; readonly atMs: number };

interface LagVerdict {
  readonly lagging: boolean;
  /** Samples in a row that speak against it. */
  readonly against: number;
}

export interface LagState {
  /** Of the last sample that said something; null before it. */
  readonly lagMs: number | null;
  readonly source: LagSource | null;
  /** When that was. */
  readonly knownAtMs: number | null;
  /** By limit. */
  readonly verdicts: ReadonlyMap<number, LagVerdict>;
  /** The limits that it is lagging over, ascending; null until it was judged. The same object while they are the same. */
  readonly over: readonly number[] | null;
}

export const UNMEASURED_LAG: LagState = {
  lagMs: null,
  source: null,
  knownAtMs: null,
  verdicts: new Map(),
  over: null,
};

function afterSample(
  before: LagVerdict | undefined,
  isOver: boolean,
  { leaveAfter, returnAfter }: LagThresholds,
): LagVerdict {
  if (before === undefined) return { lagging: isOver, against: 0 };
  if (before.lagging === isOver) return before.against === 0 ? before : { lagging: isOver, against: 0 };
  const against = before.against + 1;
  const isEnough = against >= (isOver ? leaveAfter : returnAfter);
  return isEnough ? { lagging: isOver, against: 0 } : { lagging: before.lagging, against };
}

function withVerdicts(
  state: LagState,
  limitsMs: readonly number[],
  judge: (limitMs: number, before: LagVerdict | undefined) => LagVerdict | undefined,
): LagState {
  const verdicts = new Map<number, LagVerdict>();
  for (const limitMs of limitsMs) {
    const verdict = judge(limitMs, state.verdicts.get(limitMs));
    if (verdict !== undefined) verdicts.set(limitMs, verdict);
  }
  const isJudged = verdicts.size > 0 || state.knownAtMs !== null;
  const over = isJudged ? limitsMs.filter((limitMs) => verdicts.get(limitMs)?.lagging === true) : null;
  return { ...state, verdicts, over: isSameList(over, state.over) ? state.over : over };
}

function isSameList(a: readonly number[] | null, b: readonly number[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((limit, index) => limit === b[index]);
}

/** @param limitsMs those that hold for the server, ascending, each once */
export function stepLag(
  state: LagState,
  report: LagReport,
  limitsMs: readonly number[],
  thresholds: LagThresholds,
): LagState {
  if (report.ok && report.lagMs !== null) {
    const { lagMs, source, atMs } = report;
    return withVerdicts({ ...state, lagMs, source, knownAtMs: atMs }, limitsMs, (limitMs, before) =>
      afterSample(before, lagMs > limitMs, thresholds),
    );
  }
  const { knownAtMs } = state;
  if (knownAtMs === null) return state;
  const silentMs = report.atMs - knownAtMs;
  return withVerdicts(state, limitsMs, (limitMs, before) =>
    silentMs > Math.max(limitMs, thresholds.silenceMs) ? { lagging: true, against: 0 } : before,
  );
}

/** Other limits hold: a new one is judged by what is known. */
export function judgeLag(state: LagState, limitsMs: readonly number[]): LagState {
  const { lagMs } = state;
  if (lagMs === null) return state;
  return withVerdicts(
    state,
    limitsMs,
    (limitMs, before) => before ?? { lagging: lagMs > limitMs, against: 0 },
  );
}
