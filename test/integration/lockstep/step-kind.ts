import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Parameter } from '../differential/binary-value.ts';
import type { Step } from '../differential/corpus.ts';
import type { SessionModel } from './session-model.ts';

/** A step of one session; `reconnect` ends the client's connection and makes another. */
export type SessionStep = Step | { readonly reconnect: true };

export interface StepKind {
  readonly name: string;
  readonly weight: number;
  /** The session may hold its server connection afterwards: only so many sessions may at a time. */
  readonly holding?: boolean;
  /** Null: not now. Changes the model by what the step will have done. */
  make(random: SeededRandom, model: SessionModel): SessionStep | string | null;
}

/** Statements to choose from; `{t}` is a table of the session's own, `{n}` a small number. */
export function oneOf(
  name: string,
  weight: number,
  statements: readonly string[],
  more: Partial<StepKind> = {},
): StepKind {
  return { name, weight, make: (random, model) => fillIn(random.pick(statements), random, model), ...more };
}

export function fillIn(text: string, random: SeededRandom, model: SessionModel): string {
  return text
    .replace(/\{t\}/g, () => model.table(random))
    .replace(/\{n\}/g, () => String(random.below(8)))
    .replace(/\{name\}/g, model.name);
}

export function queryStep(query: string, localData?: string): SessionStep {
  return { query, ignore: [], localData, localRows: undefined };
}

/** A parameter of some type, often NULL. */
export function randomParameter(random: SeededRandom): Parameter {
  const value = random.below(9);
  return random.pick<Parameter>([
    value,
    -value,
    null,
    `text ${value}`,
    '',
    value + 0.5,
    ['tiny', value],
    ['short unsigned', value],
    ['long', value],
    ['longlong unsigned', '18446744073709551615'],
    ['newdecimal', `${value}.25`],
    ['date', '2024-02-29'],
    ['datetime', '2024-02-29 12:34:56.5'],
    ['time', '-1 02:03:04'],
    ['blob', { hex: '00ff27' }],
    ['varstring', { repeat: 'x', times: 300 }],
    ['longlong', null],
  ]);
}
