import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Deadline for the condition; 30 s unless told. */
  readonly timeoutMs?: number;
  /** Pause between two looks; 25 ms unless told. */
  readonly intervalMs?: number;
}

/**
 * Looks at a condition until it holds, and gives what it returned. `undefined`, `null` and `false` mean "not yet"; an
 * error thrown by the condition means that too, and is named when the deadline passes.
 *
 * @param what completes the sentence "… did not happen", e.g. `the replica has applied row 5`
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { timeoutMs = 30_000, intervalMs = 25 } = options;
  const startedAt = performance.now();
  let lastError: unknown;
  let lastValue: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) {
        return value as NonNullable<Exclude<T, false>>;
      }
      lastValue = value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() - startedAt >= timeoutMs) break;
    await delay(intervalMs);
  }
  const last =
    lastError === undefined
      ? `last seen: ${String(lastValue)}`
      : `last error: ${lastError instanceof Error ? lastError.message : String(lastError)}`;
  throw new Error(`waited ${timeoutMs} ms for: ${what} (${last})`, { cause: lastError });
}
