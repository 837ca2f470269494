/** `--warn lag=10s,cache --crit lag=60s --ignore certificate`: which limits hold, and how bad what is wrong is. */
import { nearestName } from '../../../config/nearest-name.ts';
import { CheckError } from './check-exit.ts';
import { NUMBER_CRITERIA, type NumberCriterion, STATE_CRITERIA, type StateCriterion } from './criteria.ts';
import { parseThreshold, type Threshold } from './threshold.ts';

export const Severity = { warn: 'warn', crit: 'crit' } as const;
export type Severity = (typeof Severity)[keyof typeof Severity];

export interface LimitedCriterion {
  readonly criterion: NumberCriterion;
  readonly warn: Threshold | null;
  readonly crit: Threshold | null;
}

export interface RatedCriterion {
  readonly criterion: StateCriterion;
  readonly severity: Severity;
}

export interface Wishes {
  readonly numbers: readonly LimitedCriterion[];
  readonly states: readonly RatedCriterion[];
}

export interface WishTexts {
  readonly warn: string | null;
  readonly crit: string | null;
  readonly ignore: string | null;
}

const NAMES = [...NUMBER_CRITERIA, ...STATE_CRITERIA].map(({ name }) => name);

/** @throws CheckError */
export function readWishes({ warn, crit, ignore }: WishTexts): Wishes {
  const warnings = entriesOf('--warn', warn);
  const criticals = entriesOf('--crit', crit);
  const ignored = new Set(entriesOf('--ignore', ignore).keys());
  const limitOf = (
    criterion: NumberCriterion,
    given: ReadonlyMap<string, string | null>,
    usual: string | null,
  ) => {
    const { name } = criterion;
    const text = given.has(name) ? (given.get(name) ?? '') : usual;
    if (text === null) return null;
    if (text === '') throw new CheckError(`${name} needs a limit: ${name}=…`);
    return parseThreshold(name, text, criterion);
  };
  return {
    numbers: NUMBER_CRITERIA.filter(({ name }) => !ignored.has(name)).map((criterion) => ({
      criterion,
      warn: limitOf(criterion, warnings, criterion.warn),
      crit: limitOf(criterion, criticals, criterion.crit),
    })),
    states: STATE_CRITERIA.filter(({ name }) => !ignored.has(name)).map((criterion) => {
      const { name, severity } = criterion;
      if ((warnings.get(name) ?? criticals.get(name) ?? null) !== null)
        throw new CheckError(`${name} has no limit: it is well or not`);
      return {
        criterion,
        severity: criticals.has(name) ? Severity.crit : warnings.has(name) ? Severity.warn : severity,
      };
    }),
  };
}

/** By name; null without a limit. */
function entriesOf(flag: string, text: string | null): Map<string, string | null> {
  const entries = new Map<string, string | null>();
  for (const part of text === null ? [] : text.split(',')) {
    const [name = '', ...rest] = part.trim().split('=');
    if (!NAMES.includes(name)) {
      const nearest = nearestName(name, NAMES);
      const hint = nearest === null ? `: one of ${NAMES.join(', ')}` : `, did you mean ${nearest}?`;
      throw new CheckError(`${flag}: nothing is called "${name.slice(0, 40)}"${hint}`);
    }
    if (entries.has(name)) throw new CheckError(`${flag}: ${name} stands there twice`);
    entries.set(name, rest.length === 0 ? null : rest.join('='));
  }
  return entries;
}
