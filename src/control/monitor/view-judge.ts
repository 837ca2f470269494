/** What a view's definition calls and reads. */

import type { ViewDefinition, ViewVerdict } from './view-safety-closure.ts';

/** Nothing is proven until the classifier of definitions is there: fail closed. */
export function judgeView(_view: ViewDefinition): ViewVerdict {
  return { safe: false, reads: [] };
}
