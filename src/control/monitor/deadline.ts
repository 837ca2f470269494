/** Deadlines for parts of longer pieces of work. */

import type { Clock } from '../../common/clock.ts';
import { CheckTimeoutError } from './check-interval.ts';

/** `work` gets a signal that is aborted at the deadline, or when `outer` is. */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  outer: AbortSignal | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(new CheckTimeoutError(timeoutMs)), timeoutMs);
  const forward = (): void => abort.abort(outer?.reason);
  if (outer?.aborted) forward();
  outer?.addEventListener('abort', forward, { once: true });
  try {
    return await work(abort.signal);
  } finally {
    clock.clearTimeout(timer);
    outer?.removeEventListener('abort', forward);
  }
}

/** Resolves when `work` has ended, or without it: it goes on, but nobody waits for it any longer. */
export function atMost(clock: Clock, timeoutMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(resolve, timeoutMs);
    work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
