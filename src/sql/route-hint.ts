/** Reads `sluice:` comments. */

import type { RouteHint } from './statement-class.ts';

export const NO_HINT: RouteHint = Object.freeze({ target: null, hostgroup: null, noCache: false });

/**
 * `primary`, `replica`, `hostgroup=N` and `nocache`, separated by white space or commas, the prefix repeated or
 * not, in any case. What is not known is passed over; where two contradict each other the primary wins.
 */
export function parseRouteHints(comments: readonly string[]): RouteHint {
  if (comments.length === 0) return NO_HINT;
  let target: RouteHint['target'] = null;
  let hostgroup: number | null = null;
  let noCache = false;
  for (const comment of comments) {
    const text = comment.toLowerCase().replace(/\s*([:=])\s*/g, '$1');
    for (const word of text.split(/[\s,]+/)) {
      const directive = word.startsWith('sluice:') ? word.slice('sluice:'.length) : word;
      if (directive === 'primary') target = 'primary';
      else if (directive === 'replica') target ??= 'replica';
      else if (directive === 'nocache') noCache = true;
      else if (/^hostgroup=\d{1,9}$/.test(directive))
        hostgroup = Number(directive.slice('hostgroup='.length));
    }
  }
  return { target, hostgroup, noCache };
}
