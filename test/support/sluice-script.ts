/** The script of `sluice` that tests run. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkoutDirectory = fileURLToPath(new URL('../..', import.meta.url));

/** In front of the arguments, for `process.execPath`. */
export const SOURCE_SCRIPT = join(checkoutDirectory, 'src/main.ts');

/** For tests that look into modules, or change them as they are loaded: only the sources have them under their names. */
export const SOURCE_COMMAND = { program: process.execPath, args: [SOURCE_SCRIPT] } as const;

/** The same, or what a run of many tests has made of it for all of them: `test/run.ts`. */
export const SLUICE_SCRIPT = process.env.SLUICE_TEST_SCRIPT ?? SOURCE_SCRIPT;
