/**
 * The young generation of a thread's heap doubles whenever enough has outlived it. At the start nearly everything does, once,
 * and 18 MiB would stay resident in which nothing is kept: so it does not grow before Sluice has work.
 */

import { setFlagsFromString } from 'node:v8';

/** V8's own. */
const GROWTH_FACTOR = 2;

export function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

export function letYoungHeapGrow(): void {
  setFlagsFromString(`--semi-space-growth-factor=${GROWTH_FACTOR}`);
}
