/**
 * To be imported before Sluice (`node --import`): changes one of its sources as it is loaded, in every thread, so that it has
 * the fault that `CHECKER_PLANTED_FAULT` names. Nothing in Sluice knows of this.
 */

import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { faultNamed, withFault } from './planted-faults.ts';

const name = process.env.CHECKER_PLANTED_FAULT;
if (name === undefined) throw new Error('CHECKER_PLANTED_FAULT names no fault');
const fault = faultNamed(name);
const path = fileURLToPath(new URL(`../../${fault.file}`, import.meta.url));

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith('file:') || fileURLToPath(url) !== path) return loaded;
    return { ...loaded, source: withFault(fault, Buffer.from(loaded.source as Buffer).toString()) };
  },
});
