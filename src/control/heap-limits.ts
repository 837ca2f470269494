/** What the heaps of threads and of the store may take where a control group limits the memory. */

import type { ResourceLimits } from 'node:worker_threads';
import { thisMachine } from '../../config/machine.ts';
import { storeMemory, workerHeap } from '../../config/sizing.ts';
import type { StoreClientLimits } from './store/store-limits.ts';

/** Of each worker. */
export function heapLimits(workers: number): ResourceLimits {
  const { oldGenerationMib, youngGenerationMib } = workerHeap(thisMachine(), workers);
  return {
    maxYoungGenerationSizeMb: youngGenerationMib,
    ...(oldGenerationMib === null ? {} : { maxOldGenerationSizeMb: oldGenerationMib }),
  };
}

export function storeLimits(): Partial<StoreClientLimits> {
  return storeMemory(thisMachine()) ?? {};
}
