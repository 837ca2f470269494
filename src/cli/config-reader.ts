/** Reads the configuration that a command line is about, as it is now. */

import { type LoadedConfig, loadConfigWithSources } from '../../config/load.ts';
import { CONFIG_FILE_VARIABLE } from '../../config/overlay.ts';
import type { CommandLine } from './command-line.ts';

export interface ConfigReader {
  /** @throws ConfigError */
  readonly read: () => LoadedConfig;
  readonly file: string | null;
}

export function configReader({ configFile, flags }: Pick<CommandLine, 'configFile' | 'flags'>): ConfigReader {
  const file = configFile ?? (process.env[CONFIG_FILE_VARIABLE] || null);
  const layers = { env: process.env, flags, ...(file === null ? {} : { file }) };
  return { read: () => loadConfigWithSources(layers), file };
}
