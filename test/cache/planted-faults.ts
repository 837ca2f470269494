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

/** Mostly single rows, by their primary key. */
const ROWS: Partial<CheckerOptions> = { pinned: 80 };

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
    from: '    if (this.#committing === undefined) return;\n    const isRows',
    to: '    if (this.#committing !== null) return;\n    const isRows',
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
  {
    name: 'row-flux-ignored',
    description: 'entries of a row are served, and made, while that row is being written',
    file: 'src/data/cache/row-proof.ts',
    from: 'return isLone ? epochs.rows.row(row) !== 0 :',
    to: 'return isLone ? false :',
    options: ROWS,
  },
  {
    name: 'row-commit-without-flux',
    description: 'rows of a transaction are not in flux while its COMMIT is under way',
    file: 'src/data/cache/row-marks.ts',
    from: '    this.#committingCount = this.#count;\n    if (this.#count === 0) return;',
    to: '    if (this.#count >= 0) return;',
    options: ROWS,
  },
  {
    name: 'other-rows-untold',
    description: 'an entry of a row does not wait for the rows of writes of whole tables',
    file: 'src/data/cache/row-proof.ts',
    from: 'isLone ? epochs.rows.untold(table) :',
    to: 'isLone ? 0 :',
    options: ROWS,
  },
  {
    name: 'any-key-alone',
    description: 'entries of a row by another key than the primary one outlive writes by that',
    file: 'src/data/cache/row-pin.ts',
    from: 'key === keys?.lone',
    to: 'keys !== null',
    options: ROWS,
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
