/** Random sequences of steps of several sessions: the same for the same seed, whatever the servers answer. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { ServerName } from '../differential/corpus.ts';
import { BINARY_KINDS } from './binary-kinds.ts';
import { HOLDING_KINDS, RESET } from './holding-kinds.ts';
import { PLAIN_KINDS } from './plain-kinds.ts';
import { SessionModel } from './session-model.ts';
import { queryStep, type SessionStep, type StepKind } from './step-kind.ts';

export interface LockstepStep {
  /** From 1. */
  readonly session: number;
  readonly step: SessionStep;
}

export interface GeneratorOptions {
  readonly server: ServerName;
  readonly sessions: number;
  readonly steps: number;
  /** Sessions that may hold a server connection at the same time: less than there are connections. */
  readonly holders: number;
}

/** Kinds that show defects which are known, and why; `SLUICE_TEST_PENDING=1` lets them in. */
const PENDING: Readonly<Record<string, string>> = {
  'row count':
    'ROW_COUNT() and FOUND_ROWS() where connections are exchanged, and after statements of several parts',
  'found rows': 'as above',
  'show warnings': 'the list behind COM_INIT_DB, COM_STMT_PREPARE and errors in transactions',
  'count warnings': 'as above',
  'get diagnostics': 'as above',
  xa: 'the state of a session cannot be brought to its connection while an XA transaction is idle (9006)',
  'init db': 'the count of warnings in its OK',
};
const everything = process.env.SLUICE_TEST_PENDING === '1';
const KINDS = [...PLAIN_KINDS, ...HOLDING_KINDS, ...BINARY_KINDS].filter(
  ({ name }) => everything || PENDING[name] === undefined,
);
/** One of so many steps of a session that holds a connection lets it go. */
const LET_GO = 25;

export function generate(random: SeededRandom, options: GeneratorOptions): LockstepStep[] {
  const models = Array.from(
    { length: options.sessions },
    (_, index) => new SessionModel(index + 1, options.server),
  );
  return Array.from({ length: options.steps }, () => {
    const model = random.pick(models);
    const holders = models.filter(({ holds }) => holds.size > 0).length;
    const step = nextStep(random, model, model.holds.size > 0 || holders < options.holders);
    return { session: model.number, step };
  });
}

function nextStep(random: SeededRandom, model: SessionModel, mayHold: boolean): SessionStep {
  if (model.gone) {
    model.reconnect();
    return { reconnect: true };
  }
  if (model.holds.size > 0 && random.below(LET_GO) === 0) {
    const step = RESET(random, model);
    if (step !== null) return step;
  }
  for (;;) {
    const kind = pickWeighted(random);
    if (kind.holding === true && !mayHold) continue;
    const made = kind.make(random, model);
    if (made !== null) return typeof made === 'string' ? queryStep(made) : made;
  }
}

const TOTAL_WEIGHT = KINDS.reduce((sum, { weight }) => sum + weight, 0);

function pickWeighted(random: SeededRandom): StepKind {
  let left = random.below(TOTAL_WEIGHT);
  for (const kind of KINDS) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return KINDS[0] as StepKind;
}
