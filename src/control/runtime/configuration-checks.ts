/** Whether a configuration may come into force: the questions of the file's loader, and those about rules. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { deepFreeze } from '../../../config/deep-freeze.ts';
import { existingHostgroups } from '../../../config/hostgroup-pairs.ts';
import { type Machine, thisMachine } from '../../../config/machine.ts';
import { checkValues } from '../../../config/reload.ts';
import type { Config } from '../../../config/schema.ts';
import { checkCachePatterns } from '../../sql/rules/cache-rule-checks.ts';
import { checkQueryRules, problemText } from '../../sql/rules/query-rule-checks.ts';
import { warmPatterns } from '../../sql/rules/warm-patterns.ts';
import { effectWarnings } from './effect-warnings.ts';
import { placeProblem } from './problem-place.ts';
import { RowError, type RowProblem } from './row-error.ts';
import { checkSizes } from './size-checks.ts';
import type { VariableCatalog } from './variable-catalog.ts';

export interface CheckedConfig {
  /** The same, with hosts as they are used for connecting. */
  readonly config: Config;
  /** Sentences about what has no effect, or probably not the wanted one. */
  readonly warnings: readonly string[];
}

/** Each problem once: some questions are asked by both. */
function distinct(problems: readonly RowProblem[]): RowProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ table, key, column }) => {
    const place = `${table}\0${key}\0${column}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

/**
 * @param before what is in force: of what stays as it is nobody is warned again
 * @throws RowError with everything that is wrong
 */
export async function checkConfiguration(
  config: Config,
  catalog: VariableCatalog,
  before: Config | null = null,
  machine: Machine = thisMachine(),
): Promise<CheckedConfig> {
  const checked = checkValues(config);
  await nextTurn();
  await warmPatterns(config.queryRules);
  const rules = checkQueryRules(
    { rules: config.queryRules, fastRouting: config.fastRouting, firewall: config.firewall },
    existingHostgroups(config),
  );
  const sizes = checkSizes(config, catalog, before, machine);
  const problems = [
    ...sizes.problems,
    ...checked.problems.map((problem) => placeProblem(config, catalog, problem)),
    ...[...rules.errors, ...checkCachePatterns(config.cache.rules)].map((problem) => ({
      ...problem,
      key: problem.key.replace('=', ' '),
    })),
  ];
  if (problems.length > 0) throw new RowError(distinct(problems));
  const ofRules = config.queryRules === before?.queryRules ? [] : rules.warnings.map(problemText);
  const warnings = [...ofRules, ...effectWarnings(before, config), ...sizes.warnings];
  return { config: deepFreeze(checked.config), warnings };
}
