/** Starts the proxy in this process: what it runs with is read and checked first, and then nothing is left half started. */

import type { Config } from '../../config/schema.ts';
import type { RootLogger } from '../common/logger.ts';
import type { HandoverTaker } from './handover/handover-taker.ts';
import { prepareRuntime } from './runtime/prepare-runtime.ts';
import type { SluiceHandle } from './sluice-handle.ts';
import { Supervisor } from './supervisor.ts';

/**
 * @param readFile the configuration as it is now; @throws ConfigError
 * @param taker of the process that it takes over from; null: of none
 * @param isChecked that it may come into force is known already, and its warnings are
 */
export async function startSluice(
  file: Config,
  logger: RootLogger,
  version: string,
  readFile: () => Promise<Config> = async () => file,
  taker: HandoverTaker | null = null,
  isChecked = false,
): Promise<SluiceHandle> {
  const prepared = await prepareRuntime(file, logger, version, taker !== null, isChecked);
  const supervisor = new Supervisor(prepared, logger, version, readFile, taker);
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.abandon();
    throw error;
  }
  return supervisor;
}
