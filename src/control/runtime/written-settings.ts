/**
 * What somebody has written into a configuration: its values without those that are the defaults anyway. A new version of
 * Sluice with more settings finds the same in the same file.
 */

import { createHash } from 'node:crypto';
import type { Config } from '../../../config/schema.ts';
import {
  collectElementSettings,
  collectSettings,
  configJsonSchema,
  nodeAt,
} from '../../../config/settings.ts';
import { AdminModule } from '../../common/admin-tables/admin-table.ts';
import { settingValue } from './setting-text.ts';
import type { VariableCatalog } from './variable-catalog.ts';

/** The lists of each module, which tables of their own show. */
const LISTS: ReadonlyMap<AdminModule, readonly string[]> = new Map([
  [AdminModule.servers, ['servers', 'replicationHostgroups', 'hostgroupAttributes']],
  [AdminModule.users, ['users']],
  [AdminModule.queryRules, ['queryRules', 'fastRouting']],
  [AdminModule.firewall, ['firewall.users', 'firewall.rules', 'firewall.sqliFingerprints']],
  [AdminModule.adminVariables, ['admin.users']],
]);

interface SettingDefaults {
  readonly value: unknown;
  /** By key, of the elements of a list. */
  readonly elements: ReadonlyMap<string, string>;
}

function isSame(value: unknown, fallback: unknown): boolean {
  return JSON.stringify(value ?? null) === JSON.stringify(fallback ?? null);
}

export class WrittenSettings {
  readonly #defaults = new Map<string, SettingDefaults>();
  readonly #pathsOf = new Map<AdminModule, string[]>();
  readonly #moduleOf = new Map<string, AdminModule>();

  constructor(catalog: VariableCatalog) {
    const schema = configJsonSchema();
    for (const { path, defaultValue } of collectSettings(schema)) {
      const elements = collectElementSettings(nodeAt(schema, path.split('.')) ?? {});
      this.#defaults.set(path, {
        value: defaultValue,
        elements: new Map(elements.map((each) => [each.path, JSON.stringify(each.defaultValue ?? null)])),
      });
    }
    for (const [module, paths] of LISTS) for (const path of paths) this.#assign(path, module);
    for (const { setting, module } of catalog.all) if (setting !== null) this.#assign(setting, module);
  }

  #assign(path: string, module: AdminModule): void {
    this.#moduleOf.set(path, module);
    this.#pathsOf.set(module, [...(this.#pathsOf.get(module) ?? []), path]);
  }

  /** What somebody has written, section within section, as a file says it. */
  content(config: Config): Record<string, unknown> {
    const content: Record<string, unknown> = {};
    for (const path of this.paths) {
      const value = this.written(config, path);
      if (value === undefined) continue;
      const sections = path.split('.');
      const key = sections.pop() ?? '';
      let parent = content;
      for (const name of sections) {
        parent[name] ??= {};
        parent = parent[name] as Record<string, unknown>;
      }
      parent[key] = value;
    }
    return content;
  }

  /** All settings, those without a module included. */
  get paths(): Iterable<string> {
    return this.#defaults.keys();
  }

  /** Null for a setting that no table shows. */
  moduleOf(path: string): AdminModule | null {
    return this.#moduleOf.get(path) ?? null;
  }

  /** Undefined where it is the default. */
  written(config: Config, path: string): unknown {
    const value = settingValue(config, path);
    const { value: usual, elements } = this.#defaults.get(path)!;
    if (isSame(value, config.fitted?.[path] ?? usual)) return undefined;
    if (!Array.isArray(value)) return value;
    return value.map((element: unknown) =>
      typeof element === 'object' && element !== null ? withoutDefaults(element, elements) : element,
    );
  }

  /** A fingerprint of what the configuration says of a module. */
  hashOf(config: Config, module: AdminModule): string {
    const content = (this.#pathsOf.get(module) ?? [])
      .toSorted()
      .map((path) => [path, this.written(config, path)])
      .filter(([, value]) => value !== undefined);
    const more = module === AdminModule.users ? config.backendUsers : null;
    return createHash('sha256')
      .update(JSON.stringify([content, more]))
      .digest('hex');
  }
}

function withoutDefaults(element: object, defaults: ReadonlyMap<string, string>): object {
  return Object.fromEntries(
    Object.entries(element)
      .filter(([key, value]) => JSON.stringify(value ?? null) !== defaults.get(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
