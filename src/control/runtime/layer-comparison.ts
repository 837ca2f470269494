/** RUNTIME beside MEMORY and DISK, as rows of their tables. */

import type { Config } from '../../../config/schema.ts';
import type { SqlRow, TableRows } from '../../common/admin-tables/admin-table.ts';
import type { StoreClient } from '../store/store-client.ts';
import { RowError } from './row-error.ts';
import { differencesOf, type RuntimeDifference } from './runtime-difference.ts';
import type { RuntimeModule } from './runtime-modules.ts';
import { checksumOf } from './table-checksum.ts';
import { VARIABLES_TABLE } from './variable-rows.ts';

export class LayerComparison {
  readonly #store: StoreClient;
  readonly #modules: readonly RuntimeModule[];

  constructor(store: StoreClient, modules: readonly RuntimeModule[]) {
    this.#store = store;
    this.#modules = modules;
  }

  /** As MEMORY is before anybody has changed it. */
  rows(config: Config): TableRows[] {
    const tables = new Map<string, SqlRow[]>();
    for (const { table, rows } of this.#modules.flatMap((module) => module.rowsOf(config)))
      tables.set(table, [...(tables.get(table) ?? []), ...rows]);
    return [...tables].map(([table, rows]) => ({ table, rows }));
  }

  /** @param runtime what is in force. @throws StoreError */
  async differences(runtime: Config): Promise<readonly RuntimeDifference[]> {
    const inForce = this.rows(runtime);
    const names = inForce.map(({ table }) => table);
    const memory = await this.#store.readTables('memory', names);
    return differencesOf(inForce, await this.#asApplied(memory, runtime));
  }

  /** @param names of tables; of variables, and of families of tables, their prefix. @throws StoreError */
  async checksum(
    layer: 'runtime' | 'memory' | 'disk',
    names: readonly string[],
    runtime: Config,
  ): Promise<string> {
    const all = new Set(this.#modules.flatMap(({ tables }) => tables));
    const tables = layer === 'runtime' ? this.rows(runtime) : await this.#store.readTables(layer, [...all]);
    const wanted = tables.flatMap(({ table, rows }): TableRows[] => {
      if (table === VARIABLES_TABLE)
        return [
          { table, rows: rows.filter(([name]) => names.some((each) => String(name).startsWith(each))) },
        ];
      return names.some((each) => table === each || (each.endsWith('_') && table.startsWith(each)))
        ? [{ table, rows }]
        : [];
    });
    return checksumOf(wanted);
  }

  /** As the rows would look in RUNTIME; as they are where they cannot be loaded. */
  async #asApplied(memory: readonly TableRows[], runtime: Config): Promise<readonly TableRows[]> {
    try {
      let config = runtime;
      for (const module of this.#modules) config = await module.withRows(config, memory, []);
      return this.rows(config);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return memory;
    }
  }
}
