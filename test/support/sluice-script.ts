/** The script of `sluice` that tests run. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkoutDirectory = fileURLToPath(new URL('../..', import.meta.url));

/** In front of the arguments, for `process.execPath`. */
export const SOURCE_SCRIPT = join(checkoutDirectory, 'src/main.ts');

/** The same, or what a run of many tests has made of it for all of them: `test/run.ts`. */
export const SLUICE_SCRIPT = process.env.SLUICE_TEST_SCRIPT ?? SOURCE_SCRIPT;
