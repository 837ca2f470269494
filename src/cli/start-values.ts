/** What the service starts with, as the thread that reads it hands it over: plain values. */

import type { Config } from '../../config/schema.ts';
import type { CommandLine } from './command-line.ts';

export interface StartValues {
  readonly config: Config;
  /** Of the file. */
  readonly warnings: readonly string[];
  /** What the checks of a configuration that is to come into force have said; null where they were not made. */
  readonly checks: readonly string[] | null;
}

export interface StartQuestion {
  readonly args: readonly string[];
  /** Of Sluice. */
  readonly version: string;
}

export interface StartAnswer extends StartValues {
  readonly commandLine: CommandLine;
}
