/** What SQL on the admin port may take. */

import type { StoreLimits } from '../../common/store-messages.ts';

export interface StoreClientLimits extends StoreLimits {
  /** Of the store process in all: it ends at once when it takes more, and costs the statement that runs. */
  readonly maxMemoryBytes: number;
  /** For a statement of a user; the store process is killed then. */
  readonly statementTimeoutMs: number;
  /** For what Sluice itself asks of the store, and for its start. */
  readonly internalTimeoutMs: number;
  /** Statements that wait for the one that runs. */
  readonly maxQueued: number;
  /** Of all results that clients have not taken yet. */
  readonly maxHeldBytes: number;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_STORE_LIMITS: StoreClientLimits = Object.freeze({
  maxRows: 1_000_000,
  maxResultBytes: 64 * MEBIBYTE,
  maxValueBytes: 16 * MEBIBYTE,
  maxMemoryBytes: 512 * MEBIBYTE,
  statementTimeoutMs: 10_000,
  internalTimeoutMs: 30_000,
  maxQueued: 256,
  maxHeldBytes: 128 * MEBIBYTE,
});
