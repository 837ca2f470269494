/** What has to be known before anything else starts: which configuration, and where its tables lie. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../config/schema.ts';
import type { Logger } from '../../common/logger.ts';
import { storeLimits } from '../heap-limits.ts';
import { type FilledRows, SqliteStore } from '../store/sqlite-store.ts';
import { DeferredRuntime } from './deferred-runtime.ts';

export interface PreparedRuntime {
  /** To start with. */
  readonly config: Config;
  readonly store: SqliteStore;
  readonly runtime: DeferredRuntime;
  /** Who gives the rows of tables that are filled when they are read. */
  fillWith(fill: (table: string) => FilledRows | Promise<FilledRows>): void;
}

/**
 * @param file the configuration as the file, the variables and the flags have it
 * @param mustRead what was saved is in force in another process, and must not be left out
 * @param isChecked that it may come into force is known already, and its warnings are
 * @throws RowError for rules that cannot be used
 */
export async function prepareRuntime(
  file: Config,
  logger: Logger,
  version: string,
  mustRead = false,
  isChecked = false,
): Promise<PreparedRuntime> {
  let fill: (table: string) => FilledRows | Promise<FilledRows> = () => [];
  const store: SqliteStore = new SqliteStore({
    dataDir: file.dataDir,
    limits: storeLimits(),
    logger,
    seed: async () => {
      const loaded = await runtime.load();
      return loaded.rows(loaded.config);
    },
    fill: (table) => fill(table),
  });
  const runtime = new DeferredRuntime({ store, file, version, clock: Date.now });
  const fillWith = (filled: typeof fill) => {
    fill = filled;
  };
  if (!isChecked) {
    const { checkConfiguration } = await import('./configuration-checks.ts');
    const { warnings } = await checkConfiguration(file, (await runtime.load()).catalog);
    for (const warning of warnings) logger.warn(warning);
  }
  // Without anything saved there is no need for the store before somebody asks.
  if (file.dataDir === null || !existsSync(join(file.dataDir, 'sluice.db')))
    return { config: file, store, runtime, fillWith };
  try {
    const start = await (await runtime.load()).start();
    const unreadable = start.warnings.find(({ module }) => module === null);
    if (mustRead && unreadable !== undefined) throw new Error(unreadable.message);
    for (const { message } of start.warnings) logger.warn(message);
    for (const note of start.notes) logger.info(note);
    return { config: start.config, store, runtime, fillWith };
  } catch (error) {
    await store.close();
    throw error;
  }
}
