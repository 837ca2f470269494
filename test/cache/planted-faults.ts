/**
 * Faults that a Sluice of the checker may be given, to see that a run finds them: each a change of one source, made as it is
 * loaded (`plant.ts`), and what a run does to find it.
 */

import { fileURLToPath } from 'node:url';
import type { CheckerOptions } from './checker-options.ts';

/** Makes the fault that `CHECKER_PLANTED_FAULT` names. */
export const PLANT_HOOK = fileURLToPath(new URL('./plant.ts', import.meta.url));

export interface PlantedFault {
  readonly name: string;
  readonly description: string;
  /** Below the checkout. */
  readonly file: string;
  /** Stands in it once. */
  readonly from: string;
  readonly to: string;
  /** The leg that finds it. */
  readonly options: Partial<CheckerOptions>;
}

export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'epoch-not-compared',
    description: 'an entry outlives a write to its table',
    file: 'src/data/cache/freshness.ts',
    from: 'if (epochs.epoch(slots[0]!) !== proof.first) return false;',
    to: '',
    options: {},
  },
  {
    name: 'flux-ignored',
    description: 'entries are served, and made, while a write to their table is under way',
    file: 'src/data/cache/freshness.ts',
    from: '    if (epochs.flux(EVERYTHING) !== 0) return true;\n',
    to: '    if (slots !== null) return false;\n',
    options: {},
  },
  {
    name: 'commit-raises-nothing',
    description: 'what a COMMIT makes visible is not raised',
    file: 'src/data/cache/write-marks.ts',
    from: '    if (this.#committing !== undefined)\n      this.#worker.raise(',
    to: '    if (this.#committing === null)\n      this.#worker.raise(',
    options: {},
  },
  {
    name: 'rows-not-raised',
    description: 'single rows are never raised by the follower',
    file: 'src/common/table-epochs.ts',
    from: '    Atomics.add(this.#words, ROW + row, 1);',
    to: '',
    options: {},
  },
];

export function faultNamed(name: string): PlantedFault {
  const fault = plantedFaults.find((one) => one.name === name);
  if (fault === undefined)
    throw new Error(`no fault ${name} among ${plantedFaults.map((one) => one.name).join(', ')}`);
  return fault;
}

/** @throws Error where it has no place, or several: the source is another one by now */
export function withFault({ name, file, from, to }: PlantedFault, source: string): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${name}: ${file} has its place ${parts.length - 1} times`);
  return parts.join(to);
}
