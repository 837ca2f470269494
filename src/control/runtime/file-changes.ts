/** What somebody has changed in the file, laid over what is in force. */

import { withSetting } from '../../../config/reload.ts';
import type { Config } from '../../../config/schema.ts';
import type { AdminModule } from '../../common/admin-tables/admin-table.ts';
import { settingValue } from './setting-text.ts';
import type { WrittenSettings } from './written-settings.ts';

export interface FileChanges {
  readonly config: Config;
  /** Modules that show something of it. */
  readonly modules: ReadonlySet<AdminModule>;
  readonly paths: readonly string[];
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Setting by setting: what is the same in both files stays as the operator has it. */
export function withFileChanges(
  inForce: Config,
  before: Config,
  after: Config,
  written: WrittenSettings,
): FileChanges {
  let config = inForce;
  const modules = new Set<AdminModule>();
  const paths: string[] = [];
  for (const path of written.paths) {
    const value = settingValue(after, path);
    if (isSame(settingValue(before, path), value)) continue;
    paths.push(path);
    config = withSetting(config, path, value);
    const module = written.moduleOf(path);
    if (module !== null) modules.add(module);
  }
  if (!isSame(before.backendUsers, after.backendUsers))
    config = { ...config, backendUsers: after.backendUsers };
  return { config, modules, paths };
}
