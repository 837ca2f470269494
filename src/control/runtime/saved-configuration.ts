/**
 * What SAVE … TO DISK has kept, at the start. A saved section goes before the file's, unless the file's section has been
 * changed since: then the file is what somebody wanted last. Both is said, with how to get the other one.
 */

import type { Config } from '../../../config/schema.ts';
import type { AdminModule, TableRows } from '../../common/admin-tables/admin-table.ts';
import type { StoreClient } from '../store/store-client.ts';
import { StoreError } from '../store/store-error.ts';
import { checkConfiguration } from './configuration-checks.ts';
import { RowError } from './row-error.ts';
import type { RuntimeModule } from './runtime-modules.ts';
import type { VariableCatalog } from './variable-catalog.ts';
import { ofModule, VARIABLES_TABLE } from './variable-rows.ts';
import type { WrittenSettings } from './written-settings.ts';

export const SAVED_SECTIONS_TABLE = 'sluice_saved_sections';

export interface SavedSection {
  readonly module: AdminModule;
  /** Of the file's section when it was saved. */
  readonly fileHash: string;
  readonly savedAtMs: number;
}

export interface StartConfiguration {
  readonly config: Config;
  /** What MEMORY is to hold beside the rows of the configuration: the saved rows, as they were saved. */
  readonly memory: readonly TableRows[];
  /** For the log and for operators. */
  readonly warnings: readonly StartWarning[];
  readonly notes: readonly string[];
}

export interface StartWarning {
  /** Null where it is about all of them. */
  readonly module: AdminModule | null;
  readonly message: string;
}

export interface SavedConfigurationContext {
  readonly store: StoreClient;
  readonly modules: readonly RuntimeModule[];
  readonly catalog: VariableCatalog;
  readonly written: WrittenSettings;
}

interface SavedModule {
  readonly module: RuntimeModule;
  readonly tables: readonly TableRows[];
}

async function readSavedSections(store: StoreClient): Promise<SavedSection[]> {
  const [table] = await store.readTables('disk', [SAVED_SECTIONS_TABLE]);
  return (table?.rows ?? []).map(([section, fileHash, savedAtMs]) => ({
    module: String(section) as AdminModule,
    fileHash: String(fileHash),
    savedAtMs: Number(savedAtMs),
  }));
}

/** The rows of a module in a layer; of variables, its own only. */
export async function readModule(
  store: StoreClient,
  layer: 'memory' | 'disk',
  module: RuntimeModule,
): Promise<readonly TableRows[]> {
  const tables = await store.readTables(layer, module.tables);
  return tables.map(({ table, rows }) => ({
    table,
    rows: table === VARIABLES_TABLE ? rows.filter(([name]) => ofModule(String(name), module.module)) : rows,
  }));
}

/** What has to be typed so that what is on DISK comes into force. */
function restoreHint(module: AdminModule): string {
  return `LOAD ${module} TO MEMORY; LOAD ${module} TO RUNTIME`;
}

async function together(
  config: Config,
  saved: readonly SavedModule[],
  catalog: VariableCatalog,
): Promise<Config> {
  let result = config;
  for (const { module, tables } of saved) result = await module.withRows(result, tables, []);
  return (await checkConfiguration(result, catalog)).config;
}

/** @throws StoreError when what is kept cannot be read */
export async function startConfiguration(
  file: Config,
  { store, modules, catalog, written }: SavedConfigurationContext,
): Promise<StartConfiguration> {
  const warnings: StartWarning[] = [];
  const notes: string[] = [];
  const candidates: SavedModule[] = [];
  for (const { module: name, fileHash, savedAtMs } of await readSavedSections(store)) {
    const module = modules.find((each) => each.module === name);
    if (module === undefined) continue;
    const savedAt = new Date(savedAtMs).toISOString();
    if (fileHash !== written.hashOf(file, name)) {
      const message = `${name}: the file has been changed since ${savedAt}, when another state was saved to disk, and is in force; ${restoreHint(name)} brings back the saved one`;
      warnings.push({ module: name, message });
      continue;
    }
    candidates.push({ module, tables: await readModule(store, 'disk', module) });
    notes.push(`${name}: as saved to disk at ${savedAt}, instead of the file`);
  }
  const { config, used, refused } = await withCandidates(file, candidates, catalog);
  warnings.push(...refused);
  return {
    config,
    memory: used.flatMap(({ tables }) => tables),
    warnings,
    notes: notes.filter((_, index) => used.includes(candidates[index]!)),
  };
}

/** All of them if they go together; else one after the other, and those that do not fit are left out. */
async function withCandidates(
  file: Config,
  candidates: readonly SavedModule[],
  catalog: VariableCatalog,
): Promise<{ config: Config; used: readonly SavedModule[]; refused: readonly StartWarning[] }> {
  try {
    const config = candidates.length === 0 ? file : await together(file, candidates, catalog);
    return { config, used: candidates, refused: [] };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
  }
  let config = file;
  const used: SavedModule[] = [];
  const refused: StartWarning[] = [];
  for (const candidate of candidates) {
    try {
      config = await together(file, [...used, candidate], catalog);
      used.push(candidate);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      const name = candidate.module.module;
      const message = `${name}: what was saved to disk cannot be used, and the file is in force: ${error.message}; LOAD ${name} TO MEMORY shows it in MEMORY`;
      refused.push({ module: name, message });
    }
  }
  return { config, used, refused };
}

/** The sentence about a `sluice.db` that cannot be read at all. */
export function unreadableWarning(error: unknown): StartWarning {
  const reason = error instanceof StoreError ? error.message : String((error as Error).message);
  const message = `what was saved to disk cannot be read, and the file is in force: ${reason}`;
  return { module: null, message };
}
