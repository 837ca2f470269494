/** What another process, started now with the same file, would not have: changes that nobody has saved. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../config/schema.ts';
import type { TableRows } from '../../common/admin-tables/admin-table.ts';
import { DISK_FILE } from '../store/store-client.ts';
import { differencesOf } from './runtime-difference.ts';
import { type SavedConfigurationContext, startConfiguration } from './saved-configuration.ts';

/** Names of tables; empty where the next start has all that is in force. @throws ConfigError, StoreError */
export async function lostAtNextStart(
  { inForce, file }: { readonly inForce: Config; readonly file: Config },
  rowsOf: (config: Config) => readonly TableRows[],
  context: SavedConfigurationContext,
): Promise<readonly string[]> {
  const { dataDir } = inForce;
  const isSaved = dataDir !== null && existsSync(join(dataDir, DISK_FILE));
  const next = isSaved ? (await startConfiguration(file, context)).config : file;
  return [...new Set(differencesOf(rowsOf(inForce), rowsOf(next)).map(({ table }) => table))];
}
