/** Copies between the layers MEMORY and DISK, and of rows into MEMORY. */

import type { Config } from '../../../config/schema.ts';
import type { AdminModule, SqlValue, TableRows } from '../../common/admin-tables/admin-table.ts';
import { configTableNamed } from '../../common/admin-tables/all-tables.ts';
import type { StoreClient } from '../store/store-client.ts';
import type { FileChanges } from './file-changes.ts';
import type { RuntimeModule } from './runtime-modules.ts';
import { SAVED_SECTIONS_TABLE } from './saved-configuration.ts';
import type { VariableCatalog } from './variable-catalog.ts';
import { ofModule, VARIABLES_TABLE } from './variable-rows.ts';

interface Statement {
  readonly sql: string;
  readonly parameters?: readonly SqlValue[];
}

/** The prefix of a module's variables, as a pattern of LIKE. */
function namesOf(module: AdminModule): string {
  return `${module.slice(0, module.indexOf(' ')).toLowerCase()}-%`;
}

function copyStatements(from: string, to: string, { module, tables }: RuntimeModule): Statement[] {
  return tables.flatMap((table): Statement[] => {
    const columns = configTableNamed(table)
      .columns.map((column) => `"${column}"`)
      .join(', ');
    const isShared = table === VARIABLES_TABLE;
    const where = isShared ? ' WHERE variable_name LIKE ?' : '';
    const parameters = isShared ? [namesOf(module)] : [];
    return [
      { sql: `DELETE FROM ${to}.${table}${where}`, parameters },
      {
        sql: `INSERT INTO ${to}.${table} (${columns}) SELECT ${columns} FROM ${from}.${table}${where}`,
        parameters,
      },
    ];
  });
}

export class LayerCopies {
  readonly #store: StoreClient;
  readonly #clock: () => number;
  readonly #hashOfFile: (module: AdminModule) => string;
  /** Of sections that were read from the file since the start. */
  readonly #seen = new Map<AdminModule, string>();

  constructor(store: StoreClient, hashOfFile: (module: AdminModule) => string, clock: () => number) {
    this.#store = store;
    this.#hashOfFile = hashOfFile;
    this.#clock = clock;
  }

  /** What is saved from now on is newer than this section of the file. */
  fileSeen(module: AdminModule, hash: string): void {
    this.#seen.set(module, hash);
  }

  async diskToMemory(modules: readonly RuntimeModule[]): Promise<void> {
    // Says why, where there is no such layer.
    await this.#store.copyTables('disk', 'memory', []);
    await this.#store.internal(modules.flatMap((module) => copyStatements('disk', 'main', module)));
  }

  async memoryToDisk(modules: readonly RuntimeModule[]): Promise<void> {
    await this.#store.copyTables('memory', 'disk', []);
    const sections = modules.map(({ module }) => ({
      sql: `INSERT OR REPLACE INTO disk.${SAVED_SECTIONS_TABLE} (section, file_hash, saved_at_ms) VALUES (?, ?, ?)`,
      parameters: [module, this.#seen.get(module) ?? this.#hashOfFile(module), this.#clock()],
    }));
    await this.#store.internal([
      ...modules.flatMap((module) => copyStatements('main', 'disk', module)),
      ...sections,
    ]);
  }

  /** Rows as they were saved, which may say more than the configuration that was made of them. */
  async savedToMemory(tables: readonly TableRows[]): Promise<void> {
    const names = tables.map(({ table }) => table);
    if (!names.includes(VARIABLES_TABLE)) {
      await this.#store.replaceTables('memory', tables);
      return;
    }
    await this.#store.internal(
      tables.flatMap(({ rows }) =>
        rows.map((parameters) => ({
          sql: `INSERT OR REPLACE INTO main.${VARIABLES_TABLE} (variable_name, variable_value) VALUES (?, ?)`,
          parameters,
        })),
      ),
    );
  }

  async rowsToMemory(module: RuntimeModule, config: Config): Promise<void> {
    const tables = module.rowsOf(config);
    if (!module.tables.includes(VARIABLES_TABLE)) {
      await this.#store.replaceTables('memory', tables);
      return;
    }
    const [current] = await this.#store.readTables('memory', [VARIABLES_TABLE]);
    const others = (current?.rows ?? []).filter(([name]) => !ofModule(String(name), module.module));
    const rows = [...others, ...tables.flatMap((table) => table.rows)];
    await this.#store.replaceTables('memory', [{ table: VARIABLES_TABLE, rows }]);
  }

  /** Of the tables of a changed module all rows; of variables only those that have changed. */
  async settingsToMemory(
    { modules, paths }: FileChanges,
    all: readonly RuntimeModule[],
    catalog: VariableCatalog,
    config: Config,
  ): Promise<void> {
    if (!this.#store.isRunning) return;
    const variables = paths.flatMap((path) => catalog.ofSetting(path) ?? []);
    if (variables.length > 0) {
      await this.#store.internal(
        variables.map((variable) => ({
          sql: `INSERT OR REPLACE INTO main.${VARIABLES_TABLE} (variable_name, variable_value) VALUES (?, ?)`,
          parameters: [variable.name, variable.read(config)],
        })),
      );
    }
    for (const module of all)
      if (modules.has(module.module) && !module.tables.includes(VARIABLES_TABLE))
        await this.rowsToMemory(module, config);
  }
}
