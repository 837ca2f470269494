import { setFlagsFromString } from 'node:v8';

/**
 * Else V8 lets a heap grow to four times of what lives in it before it looks for what does not, and memory that was
 * resident once stays so: results that are cached and soon replaced cost several times `cache.maxBytes` then. Measured
 * with `bench/cache/memory.ts`, entries of 64 MiB that are replaced all the time: 150 MiB instead of 410, and no more later.
 */
const HEAP_GROWTH = '--heap-growing-percent=25';

/** Of all threads, from their next collection on. */
export function limitHeapGrowth(): void {
  setFlagsFromString(HEAP_GROWTH);
}
