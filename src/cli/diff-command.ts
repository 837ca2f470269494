/** `sluice config diff`: two files, one file and what is configured, or what is configured and the defaults. */

import { ConfigError } from '../../config/config-error.ts';
import {
  type Comparable,
  comparable,
  comparableDefaults,
  diffConfigs,
  formatDifference,
} from '../../config/diff.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { RunningConfigError, runningConfig } from './running-config.ts';

/** Instead of a file: what is in force in the Sluice whose admin port is configured. */
const RUNNING = 'running';

/**
 * @param operands at most two
 * @param load reads a file; null: what is configured. @throws ConfigError
 * @returns one line for each difference
 * @throws ConfigError, RunningConfigError
 */
async function differences(
  operands: readonly string[],
  load: (file: string | null) => LoadedConfig,
): Promise<string[]> {
  const comparableOf = async (operand: string | null): Promise<Comparable> =>
    comparable(operand === RUNNING ? await runningConfig(load(null).config) : load(operand));
  const [first, second = null] = operands;
  const before = first === undefined ? comparableDefaults() : await comparableOf(first);
  return diffConfigs(before, await comparableOf(second)).map(formatDifference);
}

/** Lines of differences, or what is wrong. */
export async function diffCommand(
  operands: readonly string[],
  load: (file: string | null) => LoadedConfig,
): Promise<{ readonly lines: readonly string[]; readonly problems: readonly string[] }> {
  try {
    return { lines: await differences(operands, load), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof RunningConfigError)) throw error;
    return { lines: [], problems: error.message.split('\n') };
  }
}
