/**
 * THREAD that lives until the service knows what it starts with: reads the command line and the configuration, and checks
 * them. What it takes for that, with the schema of the settings 15 MiB, goes with it. Where anything is wrong, or something
 * else is wanted than a start, the answer is null, and the main thread goes the whole way itself.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError } from '../../config/config-error.ts';
import { collectSettings, configJsonSchema } from '../../config/settings.ts';
import { checkConfiguration } from '../control/runtime/configuration-checks.ts';
import { RowError } from '../control/runtime/row-error.ts';
import { VariableCatalog } from '../control/runtime/variable-catalog.ts';
import { CliAction, parseCommandLine } from './command-line.ts';
import { configReader } from './config-reader.ts';
import type { StartAnswer, StartQuestion } from './start-values.ts';

async function answer({ args, version }: StartQuestion): Promise<StartAnswer | null> {
  const commandLine = parseCommandLine(args, collectSettings(configJsonSchema()));
  if (commandLine.problems.length > 0 || commandLine.action !== CliAction.run) return null;
  try {
    const { config, warnings, tooLarge } = configReader(commandLine).read();
    if (tooLarge.length > 0) return null;
    const checked = await checkConfiguration(config, new VariableCatalog(version));
    return { config, warnings, checks: checked.warnings, commandLine };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof RowError) return null;
    throw error;
  }
}

parentPort?.postMessage(await answer(workerData as StartQuestion));
