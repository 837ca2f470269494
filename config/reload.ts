/** What a changed configuration means for a running process. */
import { type CheckProblem, checkConfig } from './checks.ts';
import { ConfigError } from './config-error.ts';
import { formatPath } from './issue-message.ts';
import type { Config, ConfigValues } from './schema.ts';
import { collectSettings, configJsonSchema } from './settings.ts';

export interface ReloadPlan {
  /** What is to run from now on: the new values, but the old ones where a change needs a restart; deep-frozen. */
  readonly config: Config;
  /** Paths of the settings that change now. */
  readonly changed: readonly string[];
  /** Paths of the settings that were changed but keep their old value until the next start. */
  readonly needRestart: readonly string[];
}

function settingValue(config: Config, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], config);
}

/** A copy in which the setting has this value; deep-frozen as the original. */
export function withSetting(config: Config, path: string, value: unknown): Config {
  const replace = (section: Readonly<Record<string, unknown>>, [key = '', ...rest]: string[]): object =>
    Object.freeze({
      ...section,
      [key]: rest.length === 0 ? value : replace(section[key] as typeof section, rest),
    });
  return replace(config as unknown as Readonly<Record<string, unknown>>, path.split('.')) as Config;
}

/** What the loader asks of a file, asked of values: addresses, twins, and settings that contradict each other. */
export function checkValues(config: Config): {
  readonly problems: readonly CheckProblem[];
  /** With the same values, and hosts as they are used for connecting. */
  readonly config: Config;
} {
  const problems: CheckProblem[] = [];
  const place = <T>(values: readonly T[]) => values.map((value, index) => ({ index, value }));
  const candidates = {
    values: config as unknown as ConfigValues,
    servers: place(config.servers),
    users: place(config.users),
    queryRules: place(config.queryRules),
    fastRouting: place(config.fastRouting),
    isFaulty: () => false,
  };
  const { servers } = checkConfig(candidates, problems);
  const isAsBefore =
    servers.length === config.servers.length &&
    servers.every(({ host }, index) => host === config.servers[index]?.host);
  return { problems, config: isAsBefore ? config : { ...config, servers } };
}

/** Old and new values together may contradict each other, such as a new password beside an old address. */
function checkMixture(config: Config): void {
  const { problems } = checkValues(config);
  if (problems.length === 0) return;
  throw new ConfigError(
    problems.map(({ path, message }) => ({
      key: formatPath(path),
      message: `${message} (with the values that only a restart changes)`,
      source: { kind: 'default' },
      suggestion: null,
    })),
  );
}

/** @throws ConfigError when the new values do not go together with those that stay */
export function planReload(current: Config, next: Config): ReloadPlan {
  const changed: string[] = [];
  const needRestart: string[] = [];
  let config = next;
  for (const { path, reloadable } of collectSettings(configJsonSchema())) {
    const before = settingValue(current, path);
    const after = settingValue(next, path);
    if (before === after) continue;
    // Both come from the same schema, so equal values have their keys in the same order.
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    if (reloadable) changed.push(path);
    else {
      needRestart.push(path);
      config = withSetting(config, path, before);
    }
  }
  const usersDiffer = JSON.stringify(current.backendUsers) !== JSON.stringify(next.backendUsers);
  if (usersDiffer && !changed.includes('users')) changed.push('users');
  if (needRestart.length > 0) checkMixture(config);
  return { config, changed, needRestart };
}
