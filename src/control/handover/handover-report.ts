/** What admin and metrics show of restarts in which another process takes over. */
export interface HandoverReport {
  /** Since the first of these processes was started otherwise. */
  readonly done: number;
  readonly failed: number;
  /** The process before this one, as long as it lives. */
  readonly before: { readonly pid: number; readonly clients: number } | null;
}

export const NO_HANDOVER: HandoverReport = Object.freeze({ done: 0, failed: 0, before: null });
