/**
 * To be imported before Sluice (`node --import`): changes sources as they are loaded, in every thread, so that it has the
 * fault that `CHECKER_PLANTED_FAULT` names. Nothing in Sluice knows of this.
 */

import { registerHooks } from 'node:module';
import { changed, changesOf, faultNamed } from './planted-faults.ts';

const name = process.env.CHECKER_PLANTED_FAULT;
if (name === undefined) throw new Error('CHECKER_PLANTED_FAULT names no fault');
const changes = changesOf(faultNamed(name)).map((change) => ({
  ...change,
  url: new URL(`../../${change.file}`, import.meta.url).href,
}));

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const here = changes.filter((change) => change.url === url);
    if (here.length === 0) return loaded;
    let source = Buffer.from(loaded.source as Buffer).toString();
    for (const change of here) source = changed(change, source);
    return { ...loaded, source };
  },
});
