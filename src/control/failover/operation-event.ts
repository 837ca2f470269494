/** What an operation tells: its beginning, every step with its duration, its end. */

import type { ServerAddress } from '../../topology/server-description.ts';

export const OperationKind = {
  switchover: 'switchover',
  failover: 'failover',
  rejoin: 'rejoin',
  /** Of an operation that another process has begun and not ended. */
  recovery: 'recovery',
} as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];

export const OperationOutcome = {
  done: 'done',
  /** Everything is as it was before. */
  undone: 'undone',
  /** Neither: what has to be done by hand is said. */
  failed: 'failed',
} as const;
export type OperationOutcome = (typeof OperationOutcome)[keyof typeof OperationOutcome];

export type OperationEvent =
  | {
      readonly kind: 'operation-started';
      readonly operation: OperationKind;
      readonly id: string;
      readonly from: ServerAddress | null;
      readonly to: ServerAddress;
    }
  | {
      readonly kind: 'operation-step';
      readonly operation: OperationKind;
      readonly id: string;
      readonly step: string;
      readonly direction: 'do' | 'undo';
      readonly ok: boolean;
      readonly durationMs: number;
      /** What was found or done, or why it failed. */
      readonly text: string;
    }
  | {
      readonly kind: 'operation-ended';
      readonly operation: OperationKind;
      readonly id: string;
      readonly outcome: OperationOutcome;
      readonly durationMs: number;
      /** How long new writes were held; null where they were not. */
      readonly pauseMs: number | null;
      readonly reason: string;
    }
  | {
      /** What has been left half-done cannot be ended yet; said again only for another reason. */
      readonly kind: 'operation-waits';
      readonly operation: OperationKind;
      readonly reason: string;
    };
