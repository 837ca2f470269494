/** The last look: what the loader of the configuration would refuse is taken away, with its own words. */

import { deepFreeze } from '../../../config/deep-freeze.ts';
import { formatPath } from '../../../config/issue-message.ts';
import { checkValues, withSetting } from '../../../config/reload.ts';
import { type Config, configSchema } from '../../../config/schema.ts';
import type { ImportReport } from './import-report.ts';

/** Each round takes away something; there is nothing to say about what has been taken away. */
const MOST_ROUNDS = 100;

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (section, key) => (section as Readonly<Record<string, unknown>> | undefined)?.[key],
    value,
  );
}

/** Without the element of a list that the path leads to, or with the default of the setting. */
function withoutProblem(config: Config, path: readonly PropertyKey[]): Config {
  const index = path.findIndex((step) => typeof step === 'number');
  const names = path.slice(0, index === -1 ? path.length : index).map(String);
  const list = valueAt(config, names);
  if (index !== -1 && Array.isArray(list)) {
    const at = path[index];
    return withSetting(
      config,
      names.join('.'),
      list.filter((_, position) => position !== at),
    );
  }
  return withSetting(config, names.join('.'), valueAt(configSchema.parse({}), names));
}

export function repaired(config: Config, report: ImportReport): Config {
  let result = config;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const checked = checkValues(result);
    const [problem] = checked.problems;
    if (problem === undefined) return deepFreeze(checked.config);
    report.attention(formatPath(problem.path), `left out: ${problem.message}`);
    result = withoutProblem(result, problem.path);
  }
  throw new Error(
    `the imported configuration cannot be repaired: ${checkValues(result).problems[0]?.message}`,
  );
}
