/** Whether this machine has room for what is to come into force, as a start asks. */

import type { Machine } from '../../../config/machine.ts';
import { roomFor } from '../../../config/room.ts';
import type { Config } from '../../../config/schema.ts';
import { placeProblem } from './problem-place.ts';
import type { RowProblem } from './row-error.ts';
import type { VariableCatalog } from './variable-catalog.ts';

export interface SizeFindings {
  readonly problems: readonly RowProblem[];
  readonly warnings: readonly string[];
}

/** @param before who has too little room already must be able to change something else, and is not warned again */
export function checkSizes(
  config: Config,
  catalog: VariableCatalog,
  before: Config | null,
  machine: Machine,
): SizeFindings {
  const { problems, shortages } = roomFor(config, machine);
  const was = before === null ? null : roomFor(before, machine);
  if (problems.length > 0 && (was === null || was.problems.length === 0)) {
    const places = problems.map(({ path, message }) =>
      placeProblem(config, catalog, { path: path === '' ? [] : path.split('.'), message }),
    );
    return { problems: places, warnings: [] };
  }
  const known = new Set(was?.shortages.map(({ message }) => message));
  const added = shortages.filter(({ message }) => !known.has(message));
  const warnings = added.map(({ message }) => `${message}; a start would make smaller what nobody has set`);
  return { problems: [], warnings };
}
