/** The configuration in force as commands see it, with a record of what they asked for. */

import { loadConfig } from '../../../../config/load.ts';
import type { AdminRuntime } from '../../../../src/control/admin/admin-runtime.ts';
import type { ChangeOrigin, ChangeOutcome } from '../../../../src/control/runtime/runtime-control.ts';
import type { RuntimeDifference } from '../../../../src/control/runtime/runtime-difference.ts';
import { VariableCatalog } from '../../../../src/control/runtime/variable-catalog.ts';
import { type AppliedVersion, VersionHistory } from '../../../../src/control/runtime/version-history.ts';

const FILE = 'servers: [a]\nmonitor: { username: m }\n';

export class FakeRuntime implements AdminRuntime {
  readonly config = loadConfig({ text: FILE, env: {}, flags: {} });
  readonly catalog = new VariableCatalog('0.1.0');
  readonly notices = [];
  /** What was asked for, in its order. */
  readonly calls: string[] = [];
  readonly #history = new VersionHistory();
  /** What comes next ends so. */
  failure: Error | null = null;
  warnings: readonly string[] = [];
  found: readonly RuntimeDifference[] = [
    { table: 'mysql_users', key: 'username app', column: 'active', runtime: '1', memory: '0' },
  ];

  constructor() {
    this.#history.add({ atMs: 0, by: 'start', what: '', snapshotVersion: 1, config: this.config });
  }

  get versions(): readonly AppliedVersion[] {
    return this.#history.all;
  }

  versionOfSnapshot(snapshotVersion: number): AppliedVersion | null {
    return this.#history.ofSnapshot(snapshotVersion);
  }

  text(): string {
    return FILE;
  }

  rows(): [] {
    return [];
  }

  #note(call: string): void {
    this.calls.push(call);
    if (this.failure !== null) throw this.failure;
  }

  async #change(call: string, { by, what }: ChangeOrigin): Promise<ChangeOutcome> {
    this.#note(call);
    const version = { atMs: 1000, by, what, snapshotVersion: 2, config: this.config };
    return { version: this.#history.add(version), warnings: this.warnings };
  }

  loadToRuntime(modules: readonly string[], origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#change(`${modules} to runtime`, origin);
  }

  async loadUser(username: string, origin: ChangeOrigin): Promise<ChangeOutcome | null> {
    return username === 'nobody' ? null : this.#change(`user ${username} to runtime`, origin);
  }

  rollback(version: number | null, origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#change(`back to ${version}`, origin);
  }

  async loadToShadow(): Promise<{ rules: number; warnings: readonly string[] }> {
    this.#note('rules to shadow');
    return { rules: 3, warnings: this.warnings };
  }

  promoteShadow(origin: ChangeOrigin): Promise<ChangeOutcome> {
    return this.#change('shadow to runtime', origin);
  }

  async dropShadow(): Promise<boolean> {
    this.#note('no shadow');
    return true;
  }

  async saveToMemory(modules: readonly string[]): Promise<void> {
    this.#note(`${modules} to memory`);
  }

  async loadFromFile(modules: readonly string[]): Promise<void> {
    this.#note(`${modules} from the file`);
  }

  async loadFromDisk(modules: readonly string[]): Promise<void> {
    this.#note(`${modules} from disk`);
  }

  async saveToDisk(modules: readonly string[]): Promise<void> {
    this.#note(`${modules} to disk`);
  }

  async differences(): Promise<readonly RuntimeDifference[]> {
    this.#note('differences');
    return this.found;
  }

  async checksum(layer: string, tables: readonly string[]): Promise<string> {
    this.#note(`checksum of ${tables.join(', ')} in ${layer}`);
    return '0x00000000000000AB';
  }

  async setVariable({ name }: { readonly name: string }, value: string): Promise<void> {
    this.#note(`${name}=${value}`);
  }
}
