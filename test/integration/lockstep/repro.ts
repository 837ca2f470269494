import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { expandStep, step as stepSchema } from '../differential/corpus.ts';
import type { LockstepStep } from './generator.ts';
import type { LockstepSequence } from './lockstep-run.ts';

/**
 * A sequence as YAML, to be kept in test/spec/lockstep/ when it has found something: of several sessions as
 * `- { session, step }`, a step being written as in the differential corpus.
 */
export function printRepro(sequence: LockstepSequence, seed: number): string {
  const used = [...new Set(sequence.steps.map(({ session }) => session))];
  const number = (session: number): number => used.indexOf(session) + 1;
  return stringify({
    seed,
    capabilities: used.map((session) => sequence.capabilities[session - 1]),
    steps: sequence.steps.map(({ session, step }) => ({ session: number(session), step: brief(step) })),
  });
}

const sequenceSchema = z.strictObject({
  /** What was wrong. */
  bug: z.string().optional(),
  servers: z.array(z.enum(['mariadb', 'mysql57'])).default(['mariadb', 'mysql57']),
  /** Why it still fails: a defect that is known. */
  pending: z.string().optional(),
  seed: z.number(),
  capabilities: z.array(z.number()),
  steps: z.array(
    z.strictObject({
      session: z.number().int(),
      step: z.union([z.strictObject({ reconnect: z.literal(true) }), stepSchema]),
    }),
  ),
});
export type Repro = Omit<z.output<typeof sequenceSchema>, 'steps'> & LockstepSequence;

export function readRepro(file: string): Repro {
  const { steps, ...rest } = sequenceSchema.parse(parse(readFileSync(file, 'utf8')));
  const flat = steps.flatMap(({ session, step }): LockstepStep[] =>
    ('reconnect' in step ? [step] : expandStep(step)).map((one) => ({ session, step: one })),
  );
  return { ...rest, steps: flat };
}

/** Without what has its usual value. */
function brief(step: LockstepStep['step']): unknown {
  if ('query' in step && step.localData === undefined) return step.query;
  if ('execute' in step) {
    const { stmt, params, flags } = step.execute;
    return { execute: { stmt, params, ...(flags === 0 ? {} : { flags }) } };
  }
  return Object.fromEntries(Object.entries(step).filter(([name]) => name !== 'ignore'));
}
