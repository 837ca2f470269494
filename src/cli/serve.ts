/** Runs the service with what it has read, in a process that until then holds little else. */

import { ConfigError } from '../../config/config-error.ts';
import { deepFreeze } from '../../config/deep-freeze.ts';
import type { HandoverTaker } from '../control/handover/handover-taker.ts';
import type { CommandLine } from './command-line.ts';
import { runService } from './service.ts';
import type { StartValues } from './start-values.ts';

/** The configuration as it is now, for SIGHUP. @throws ConfigError also for what this machine has no room for */
async function readAgain(commandLine: CommandLine): Promise<StartValues> {
  const { configReader } = await import('./config-reader.ts');
  const { config, warnings, tooLarge } = configReader(commandLine).read();
  if (tooLarge.length > 0) throw new ConfigError(tooLarge);
  return { config, warnings, checks: null };
}

export async function serve(
  values: StartValues,
  commandLine: CommandLine,
  version: string,
  taker: HandoverTaker | null,
): Promise<void> {
  // Loaded only now: what is wrong with a configuration needs neither threads nor sockets.
  const { startSluice } = await import('../control/start-sluice.ts');
  deepFreeze(values.config);
  await runService({ loaded: values, read: () => readAgain(commandLine), version, startSluice, taker });
}
