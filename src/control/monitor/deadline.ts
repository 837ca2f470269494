/** A part of a longer piece of work, with a deadline of its own. */

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
