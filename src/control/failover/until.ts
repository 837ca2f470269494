/** Waiting for what has no event, and trying again. */

import { setTimeout as delay } from 'node:timers/promises';

/** @returns whether it became so within the time */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number,
  pollMs = 20,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() >= end) return false;
    await delay(Math.min(pollMs, Math.max(1, end - performance.now())));
  }
}

/** The last failure is thrown. */
export async function retrying<T>(work: () => Promise<T>, attempts: number, pauseMs: number): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts) throw error;
      await delay(pauseMs);
    }
  }
}
