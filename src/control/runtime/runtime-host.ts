/** What the composition root of the main thread lets the runtime configuration do. */

import type { Config } from '../../../config/schema.ts';
import type { ShadowRules } from '../../common/query-rule.ts';

export interface AppliedConfig {
  /** Of the first snapshot that holds it. */
  readonly snapshotVersion: number;
  /** Paths of the settings that have changed. */
  readonly changed: readonly string[];
  /** Paths of those that keep their old value until the next start. */
  readonly needRestart: readonly string[];
}

export interface RuntimeHost {
  /** In force. */
  readonly config: Config;
  /** Brings a checked configuration into force. @throws with the old one still in force */
  apply(config: Config): Promise<AppliedConfig>;
  /** Of the workers that run, those that do not work with this snapshot, or a later one, when the time is over. */
  lateWorkers(snapshotVersion: number, timeoutMs: number): Promise<readonly number[]>;
  /** Rules that are counted beside those in force; null for none. */
  readonly shadow: ShadowRules | null;
  setShadow(rules: ShadowRules | null): void;
  /** The configuration as the file, the variables and the flags have it now. @throws ConfigError */
  readFile(): Promise<Config>;
}
