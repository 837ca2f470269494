/**
 * What is in force, and the ways between the layers:
 *
 * | layer | what it is | changed by |
 * |---|---|---|
 * | CONFIG | the file, with variables and flags over it | an editor; SIGHUP takes what has changed in it to MEMORY and RUNTIME |
 * | MEMORY | tables that operators edit | SQL, LOAD … TO MEMORY, LOAD … FROM CONFIG, SAVE … TO MEMORY |
 * | DISK | the same tables in `dataDir` | SAVE … TO DISK |
 * | RUNTIME | one `Config` value; workers have it as snapshots | LOAD … TO RUNTIME, ROLLBACK RUNTIME, SIGHUP |
 *
 * Whatever comes into force is checked as a whole before, and applied as a whole or not at all; one change is made after
 * the other.
 */

import { ConfigError, formatProblem } from '../../../config/config-error.ts';
import type { Config } from '../../../config/schema.ts';
import { AdminModule, type SqlRow, type TableRows } from '../../common/admin-tables/admin-table.ts';
import type { AdminRuntime } from '../admin/admin-runtime.ts';
import type { StoreClient } from '../store/store-client.ts';
import { configText } from './config-text.ts';
import { checkConfiguration } from './configuration-checks.ts';
import { withFileChanges } from './file-changes.ts';
import { LayerComparison } from './layer-comparison.ts';
import { LayerCopies } from './layer-copies.ts';
import { lostAtNextStart } from './next-start.ts';
import { RowError } from './row-error.ts';
import type { RuntimeDifference } from './runtime-difference.ts';
import type { AppliedConfig, RuntimeHost } from './runtime-host.ts';
import { type RuntimeModule, runtimeModules } from './runtime-modules.ts';
import {
  readModule,
  type SavedConfigurationContext,
  type StartConfiguration,
  type StartWarning,
  startConfiguration,
  unreadableWarning,
} from './saved-configuration.ts';
import { type Variable, VariableCatalog } from './variable-catalog.ts';
import { type AppliedVersion, VersionHistory } from './version-history.ts';
import { WrittenSettings } from './written-settings.ts';

/** Who wants it, and the words that he used. */
export interface ChangeOrigin {
  readonly by: string;
  readonly what: string;
}

export interface ChangeOutcome {
  readonly version: AppliedVersion;
  readonly warnings: readonly string[];
}

export interface RuntimeControlOptions {
  readonly store: StoreClient;
  /** As the file, the variables and the flags have it. */
  readonly file: Config;
  /** Of Sluice. */
  readonly version: string;
  readonly clock: () => number;
}

/** Workers apply a version within a turn of their event loop; whoever needs longer is told of. */
const WORKERS_TIMEOUT_MS = 3000;

export class RuntimeControl implements AdminRuntime {
  readonly catalog: VariableCatalog;
  readonly modules: readonly RuntimeModule[];
  readonly #store: StoreClient;
  readonly #written: WrittenSettings;
  readonly #copies: LayerCopies;
  readonly #comparison: LayerComparison;
  readonly #history = new VersionHistory();
  readonly #clock: () => number;
  #host: RuntimeHost | null = null;
  /** As SIGHUP, or the start, has seen it last. */
  #file: Config;
  #startConfig: Config;
  #isFileRefused = false;
  #tail: Promise<unknown> = Promise.resolve();
  #notices: readonly StartWarning[] = [];

  constructor({ store, file, version, clock }: RuntimeControlOptions) {
    this.catalog = new VariableCatalog(version);
    this.modules = runtimeModules(this.catalog);
    this.#store = store;
    this.#file = file;
    this.#startConfig = file;
    this.#written = new WrittenSettings(this.catalog);
    this.#clock = clock;
    this.#comparison = new LayerComparison(store, this.modules);
    this.#copies = new LayerCopies(store, (module) => this.#written.hashOf(this.#file, module), clock);
  }

  // ---- the start

  /** The configuration to start with: of the file, and of DISK where it was saved. */
  async start(): Promise<StartConfiguration> {
    let start: StartConfiguration;
    try {
      start = await startConfiguration(this.#file, this.#saved);
    } catch (error) {
      start = { config: this.#file, memory: [], warnings: [unreadableWarning(error)], notes: [] };
    }
    this.#notices = start.warnings;
    this.#startConfig = start.config;
    for (const { tables } of this.modules) {
      const saved = start.memory.filter(({ table }) => tables.includes(table));
      if (saved.length > 0) await this.#copies.savedToMemory(saved);
    }
    return start;
  }

  /** From now on changes can be made. */
  begin(host: RuntimeHost, snapshotVersion: number, atMs = this.#clock()): void {
    this.#host = host;
    this.#history.add({ atMs, by: 'start', what: '', snapshotVersion, config: this.config });
  }

  /** What an operator should know of how it started; for everybody who logs in. */
  get notices(): readonly string[] {
    return this.#notices.map(({ message }) => message);
  }

  /** What the file said when it was last read could not come into force. */
  get isFileRefused(): boolean {
    return this.#isFileRefused;
  }

  // ---- what is in force

  get #inForce(): RuntimeHost {
    if (this.#host === null) throw new Error('Sluice has not started yet');
    return this.#host;
  }

  /** In force, or about to be. */
  get config(): Config {
    return this.#host?.config ?? this.#startConfig;
  }

  get versions(): readonly AppliedVersion[] {
    return this.#history.all;
  }

  /** The configuration that a worker with this snapshot works with. */
  versionOfSnapshot(snapshotVersion: number): AppliedVersion | null {
    return this.#history.ofSnapshot(snapshotVersion);
  }

  /** As MEMORY is before anybody has changed it. */
  rows(config: Config): TableRows[] {
    return this.#comparison.rows(config);
  }

  moduleNamed(name: AdminModule): RuntimeModule {
    const module = this.modules.find((each) => each.module === name);
    if (module === undefined) throw new TypeError(`There is no module ${name}`);
    return module;
  }

  // ---- MEMORY to RUNTIME

  /** @throws RowError, StoreError; then nothing has changed */
  loadToRuntime(names: readonly AdminModule[], origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#inTurn(async () => {
      const warnings: string[] = [];
      let config = this.config;
      for (const name of names) {
        const module = this.moduleNamed(name);
        config = await module.withRows(config, await readModule(this.#store, 'memory', module), warnings);
      }
      return this.#bringIntoForce(config, origin, warnings);
    });
  }

  /** Only the rows of one account. @throws RowError, StoreError; null where MEMORY and RUNTIME have none */
  loadUser(username: string, origin: ChangeOrigin): Promise<ChangeOutcome | null> {
    return this.#inTurn(async () => {
      const module = this.moduleNamed(AdminModule.users);
      const memory = await readModule(this.#store, 'memory', module);
      const isHis = ([name]: SqlRow) => name === username;
      const wanted = memory.flatMap(({ rows }) => rows).filter(isHis);
      const current = module.rowsOf(this.config).flatMap(({ rows }) => rows);
      if (wanted.length === 0 && !current.some(isHis)) return null;
      const warnings: string[] = [];
      const rows = [...current.filter((row) => !isHis(row)), ...wanted];
      const config = await module.withRows(this.config, [{ table: 'mysql_users', rows }], warnings);
      return this.#bringIntoForce(config, origin, warnings);
    });
  }

  /** @param number of a kept version; the one before if null. @throws RangeError where there is none */
  rollback(number: number | null, origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#inTurn(async () => {
      const target = number === null ? this.#history.previous : this.#history.find(number);
      if (target === null) {
        const kept = this.versions.map((version) => version.number).join(', ');
        const wanted = number === null ? 'no version before this one' : `no version ${number}`;
        throw new RangeError(`there is ${wanted}; kept are ${kept}`);
      }
      return this.#bringIntoForce(target.config, origin, [], target.source);
    });
  }

  /** A configuration that was put together elsewhere. @throws RowError; then nothing has changed */
  replace(change: (config: Config) => Config, origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#inTurn(() => this.#bringIntoForce(change(this.config), origin, []));
  }

  // ---- rules that are counted and not applied

  async loadToShadow(): Promise<{ readonly rules: number; readonly warnings: readonly string[] }> {
    return this.#inTurn(async () => {
      const warnings: string[] = [];
      const module = this.moduleNamed(AdminModule.queryRules);
      const rows = await readModule(this.#store, 'memory', module);
      const wanted = await module.withRows(this.config, rows, warnings);
      const { config, warnings: more } = await checkConfiguration(wanted, this.catalog);
      this.#inForce.setShadow({ rules: config.queryRules, fastRouting: config.fastRouting });
      const rules = config.queryRules.length + config.fastRouting.length;
      return { rules, warnings: [...warnings, ...more] };
    });
  }

  promoteShadow(origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#inTurn(async () => {
      const { shadow } = this.#inForce;
      if (shadow === null)
        throw new RangeError('there are no shadow rules: LOAD MYSQL QUERY RULES TO SHADOW');
      const wanted = { ...this.config, queryRules: shadow.rules, fastRouting: shadow.fastRouting };
      const outcome = await this.#bringIntoForce(wanted, origin, []);
      this.#inForce.setShadow(null);
      return outcome;
    });
  }

  async dropShadow(): Promise<boolean> {
    return this.#inTurn(async () => {
      const had = this.#inForce.shadow !== null;
      this.#inForce.setShadow(null);
      return had;
    });
  }

  // ---- what differs

  differences(): Promise<readonly RuntimeDifference[]> {
    return this.#inTurn(() => this.#comparison.differences(this.config));
  }

  /** Tables of which another process would start with other rows. @throws ConfigError, StoreError */
  async lostAtNextStart(): Promise<readonly string[]> {
    const configs = { inForce: this.config, file: await this.#inForce.readFile() };
    return this.#inTurn(() => lostAtNextStart(configs, (config) => this.rows(config), this.#saved));
  }

  checksum(layer: 'runtime' | 'memory' | 'disk', names: readonly string[]): Promise<string> {
    return this.#comparison.checksum(layer, names, this.config);
  }

  text(): string {
    return configText(this.config, this.#written);
  }

  async setVariable(variable: Variable, value: string): Promise<void> {
    await this.#store.internal([
      {
        sql: 'INSERT OR REPLACE INTO main.global_variables (variable_name, variable_value) VALUES (?, ?)',
        parameters: [variable.name, value],
      },
    ]);
  }

  // ---- the other ways

  /** RUNTIME to MEMORY. */
  saveToMemory(names: readonly AdminModule[]): Promise<void> {
    return this.#inTurn(() => this.#toMemory(names, this.config));
  }

  /** The file to MEMORY. @throws ConfigError */
  loadFromFile(names: readonly AdminModule[]): Promise<void> {
    return this.#inTurn(async () => {
      const file = await this.#inForce.readFile();
      await this.#toMemory(names, file);
      for (const name of names) this.#copies.fileSeen(name, this.#written.hashOf(file, name));
    });
  }

  loadFromDisk(names: readonly AdminModule[]): Promise<void> {
    return this.#inTurn(() => this.#copies.diskToMemory(names.map((name) => this.moduleNamed(name))));
  }

  saveToDisk(names: readonly AdminModule[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#copies.memoryToDisk(names.map((name) => this.moduleNamed(name)));
      this.#notices = this.#notices.filter(({ module }) => module === null || !names.includes(module));
    });
  }

  /** What has changed in the file since it was read last goes to MEMORY and RUNTIME. @throws ConfigError */
  fileChanged(read: () => Promise<Config>): Promise<AppliedConfig> {
    return this.#inTurn(async () => {
      this.#isFileRefused = true;
      const file = await read();
      const changes = withFileChanges(this.config, this.#file, file, this.#written);
      const { config } = await checkConfiguration(changes.config, this.catalog, this.config);
      const applied = await this.#inForce.apply(config);
      this.#file = file;
      for (const { module } of this.modules)
        this.#copies.fileSeen(module, this.#written.hashOf(file, module));
      if (applied.changed.length > 0)
        this.#record({ by: 'SIGHUP', what: changes.paths.join(', ') }, applied.snapshotVersion);
      await this.#copies.settingsToMemory(changes, this.modules, this.catalog, this.config);
      this.#isFileRefused = false;
      return applied;
    });
  }

  // ---- inside

  get #saved(): SavedConfigurationContext {
    return { store: this.#store, modules: this.modules, catalog: this.catalog, written: this.#written };
  }

  async #toMemory(names: readonly AdminModule[], config: Config): Promise<void> {
    for (const name of names) await this.#copies.rowsToMemory(this.moduleNamed(name), config);
  }

  async #bringIntoForce(
    wanted: Config,
    origin: ChangeOrigin,
    warnings: readonly string[],
    source?: number,
  ): Promise<ChangeOutcome> {
    const { config, warnings: more } = await checkConfiguration(wanted, this.catalog, this.config);
    const host = this.#inForce;
    const applied = await this.#apply(host, config);
    const version = this.#record(origin, applied.snapshotVersion, source);
    const late = await host.lateWorkers(applied.snapshotVersion, WORKERS_TIMEOUT_MS);
    const all = [...warnings, ...more];
    if (applied.needRestart.length > 0)
      all.push(
        `these take effect at the next start, if they are saved to disk: ${applied.needRestart.join(', ')}`,
      );
    if (late.length > 0)
      all.push(
        `worker ${late.join(', ')} has not applied version ${version.number} within ${WORKERS_TIMEOUT_MS} ms; SHOW VERSIONS tells when it has`,
      );
    return { version, warnings: all };
  }

  async #apply(host: RuntimeHost, config: Config): Promise<AppliedConfig> {
    try {
      return await host.apply(config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const problems = error.problems.map((problem) => ({
        table: 'configuration',
        key: '',
        column: '',
        message: formatProblem(problem),
      }));
      throw new RowError(problems);
    }
  }

  #record({ by, what }: ChangeOrigin, snapshotVersion: number, source?: number): AppliedVersion {
    const version = { atMs: this.#clock(), by, what, snapshotVersion, config: this.config };
    return this.#history.add(version, source);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
