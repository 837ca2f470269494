/** What commands may do with the configuration in force, and with its layers. */

import type { Config } from '../../../config/schema.ts';
import type { AdminModule, TableRows } from '../../common/admin-tables/admin-table.ts';
import type { ChangeOrigin, ChangeOutcome } from '../runtime/runtime-control.ts';
import type { RuntimeDifference } from '../runtime/runtime-difference.ts';
import type { Variable, VariableCatalog } from '../runtime/variable-catalog.ts';
import type { AppliedVersion } from '../runtime/version-history.ts';

export interface AdminRuntime {
  /** In force. */
  readonly config: Config;
  readonly catalog: VariableCatalog;
  /** Oldest first, the one in force last. */
  readonly versions: readonly AppliedVersion[];
  /** What an operator should know of how Sluice started. */
  readonly notices: readonly string[];
  /** The configuration that a worker with this snapshot works with. */
  versionOfSnapshot(snapshotVersion: number): AppliedVersion | null;
  /** @throws RowError, StoreError; then nothing has changed */
  loadToRuntime(modules: readonly AdminModule[], origin: ChangeOrigin): Promise<ChangeOutcome>;
  /** Null where there is no such account. @throws RowError, StoreError */
  loadUser(username: string, origin: ChangeOrigin): Promise<ChangeOutcome | null>;
  /** @throws RangeError where the version is not kept */
  rollback(version: number | null, origin: ChangeOrigin): Promise<ChangeOutcome>;
  /** Rules of MEMORY are counted beside those in force. @throws RowError, StoreError */
  loadToShadow(): Promise<{ readonly rules: number; readonly warnings: readonly string[] }>;
  /** Shadow rules come into force. @throws RowError, RangeError where there are none */
  promoteShadow(origin: ChangeOrigin): Promise<ChangeOutcome>;
  /** False where there were none. */
  dropShadow(): Promise<boolean>;
  saveToMemory(modules: readonly AdminModule[]): Promise<void>;
  /** @throws ConfigError */
  loadFromFile(modules: readonly AdminModule[]): Promise<void>;
  /** @throws StoreError */
  loadFromDisk(modules: readonly AdminModule[]): Promise<void>;
  /** @throws StoreError */
  saveToDisk(modules: readonly AdminModule[]): Promise<void>;
  /** What LOAD … TO RUNTIME would change, and SAVE … TO MEMORY undo. */
  differences(): Promise<readonly RuntimeDifference[]>;
  /** The tables of the layers, as a configuration fills them. */
  rows(config: Config): readonly TableRows[];
  /** Of the rows of tables; variables, and families of tables, by what their names begin with. */
  checksum(layer: 'runtime' | 'memory' | 'disk', tables: readonly string[]): Promise<string>;
  /** What is in force as a file, with its secrets. */
  text(): string;
  /** Into MEMORY; LOAD brings it into force. @throws StoreError */
  setVariable(variable: Variable, value: string): Promise<void>;
}
