/**
 * RuntimeControl from the moment that somebody wants something of it. With the schema of the settings and what checks them
 * it is the largest part of the control plane, and most processes never change what they have started with.
 */

import type { Config } from '../../../config/schema.ts';
import type { RuntimeControl, RuntimeControlOptions } from './runtime-control.ts';
import type { RuntimeHost } from './runtime-host.ts';

/** Of the configuration that Sluice starts with. */
const FIRST_VERSION = 1;

export class DeferredRuntime {
  readonly #options: RuntimeControlOptions;
  #host: RuntimeHost | null = null;
  #begin: ((runtime: RuntimeControl) => void) | null = null;
  #loaded: RuntimeControl | null = null;
  #loading: Promise<RuntimeControl> | null = null;

  constructor(options: RuntimeControlOptions) {
    this.#options = options;
  }

  load(): Promise<RuntimeControl> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  /** For what runs only behind `load`. */
  get loaded(): RuntimeControl {
    if (this.#loaded === null) throw new TypeError('RuntimeControl is used before it was loaded');
    return this.#loaded;
  }

  /** In force, or about to be. */
  get config(): Config {
    return this.#loaded?.config ?? this.#host?.config ?? this.#options.file;
  }

  /** What the file said when it was last read could not come into force. */
  get isFileRefused(): boolean {
    return this.#loaded?.isFileRefused ?? false;
  }

  /** Of the version in force; 0 before the start. */
  get version(): number {
    if (this.#loaded !== null) return this.#loaded.versions.at(-1)?.number ?? 0;
    return this.#begin === null ? 0 : FIRST_VERSION;
  }

  /** From now on changes can be made. */
  begin(host: RuntimeHost, snapshotVersion: number): void {
    const atMs = this.#options.clock();
    this.#host = host;
    this.#begin = (runtime) => runtime.begin(host, snapshotVersion, atMs);
    if (this.#loaded !== null) this.#begin(this.#loaded);
  }

  async #load(): Promise<RuntimeControl> {
    const { RuntimeControl } = await import('./runtime-control.ts');
    const runtime = new RuntimeControl(this.#options);
    this.#begin?.(runtime);
    this.#loaded = runtime;
    return runtime;
  }
}
