/** Many runs of one scenario as one table row of exact counts. Pure. */

import { percentile } from '../../test/chaos/pauses.ts';
import { OldPrimary, type RunResult } from './run.ts';

export interface SeriesSummary {
  readonly runs: number;
  /** Without any broken promise. */
  readonly good: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly phantoms: number;
  readonly doubtful: number;
  readonly failed: number;
  readonly sysbenchTransactions: number;
  readonly sysbenchErrors: number;
  readonly pauseP50Ms: number;
  readonly pauseP99Ms: number;
  readonly pauseMaxMs: number;
  readonly quietP50Ms: number;
  readonly quietP99Ms: number;
  /** By Sluice's own account. */
  readonly heldP50Ms: number | null;
  readonly heldMaxMs: number | null;
  readonly writesAgainP50Ms: number | null;
  readonly writesAgainMaxMs: number | null;
  readonly inFlight: number;
  readonly inFlightWithoutError: number;
  readonly lateWrites: number;
  readonly oldPrimaryFollows: number;
  readonly oldPrimaryKeptOut: number;
  readonly sysbenchDeaths: number;
}

export function summarise(results: readonly RunResult[]): SeriesSummary {
  const sum = (of: (result: RunResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const pauses = results.flatMap(({ pausesMs }) => pausesMs);
  const held = results.map((result) => result.heldMs).filter((ms) => ms !== null);
  const quiet = results.flatMap(({ quietPausesMs }) => quietPausesMs);
  const writesAgain = results.map(({ writesAgainMs }) => writesAgainMs).filter((ms) => ms !== null);
  return {
    runs: results.length,
    good: results.filter(({ broken }) => broken.length === 0).length,
    acknowledged: sum(({ audit }) => audit.acknowledged),
    lost: sum(({ audit }) => audit.lost.length),
    doubled: sum(({ audit }) => audit.doubled.length),
    phantoms: sum(({ audit }) => audit.phantoms.length),
    doubtful: sum(({ audit }) => audit.doubtful.committed + audit.doubtful.absent),
    failed: sum(({ audit }) => audit.failed),
    sysbenchTransactions: sum(({ sysbench }) => sysbench?.transactions ?? 0),
    sysbenchErrors: sum(({ sysbench }) => sysbench?.ignoredErrors ?? 0),
    pauseP50Ms: rounded(pauses, 0.5) ?? 0,
    pauseP99Ms: rounded(pauses, 0.99) ?? 0,
    pauseMaxMs: rounded(pauses, 1) ?? 0,
    quietP50Ms: rounded(quiet, 0.5) ?? 0,
    quietP99Ms: rounded(quiet, 0.99) ?? 0,
    heldP50Ms: rounded(held, 0.5),
    heldMaxMs: rounded(held, 1),
    writesAgainP50Ms: rounded(writesAgain, 0.5),
    writesAgainMaxMs: rounded(writesAgain, 1),
    inFlight: sum(({ inFlight }) => inFlight),
    inFlightWithoutError: sum(({ inFlightWithoutError }) => inFlightWithoutError),
    lateWrites: sum(({ lateWrites }) => lateWrites),
    oldPrimaryFollows: sum(({ oldPrimary }) => Number(oldPrimary === OldPrimary.follows)),
    oldPrimaryKeptOut: sum(({ oldPrimary }) => Number(oldPrimary === OldPrimary.keptOut)),
    sysbenchDeaths: sum(({ sysbench }) => sysbench?.deaths ?? 0),
  };
}

/** One line for each figure: `name value`. */
export function summaryText(summary: SeriesSummary): string {
  const lines = Object.entries(summary).map(([name, value]) => `${name.padEnd(22)} ${value ?? '-'}`);
  return `${lines.join('\n')}\n`;
}

export function runLine(number: number, result: RunResult): string {
  const { audit, broken, writesAgainMs } = result;
  const figures = [
    `pause ${Math.round(Math.max(...result.pausesMs))} ms`,
    `held ${result.heldMs === null ? '-' : Math.round(result.heldMs)} ms`,
    `writes again ${writesAgainMs === null ? '-' : Math.round(writesAgainMs)} ms`,
    `${audit.acknowledged} acknowledged`,
    `${audit.lost.length} lost`,
    `${audit.doubled.length} doubled`,
    `${audit.doubtful.committed + audit.doubtful.absent} doubtful`,
    `${audit.failed} failed`,
    `in flight ${result.inFlightWithoutError}/${result.inFlight}`,
    result.terms.join(' → '),
    `old primary ${result.oldPrimary}`,
  ];
  return `run ${number}: ${broken.length === 0 ? 'good' : 'BROKEN'}; ${figures.join(', ')}${broken.map((one) => `\n    ${one}`).join('')}`;
}

function rounded(values: readonly number[], share: number): number | null {
  return values.length === 0 ? null : Math.round(percentile(values, share));
}
