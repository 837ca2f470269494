import type { ServerAddress } from '../../topology/server-description.ts';

export const FollowerState = {
  /** Nobody wants it. */
  off: 'off',
  /** To be connected, or waiting for another try. */
  connecting: 'connecting',
  /** Events come; not everything from before the connection has. */
  catchingUp: 'catching-up',
  following: 'following',
  /** Something is in the way that only an operator, or another beginning, can remove. */
  suspended: 'suspended',
} as const;
export type FollowerState = (typeof FollowerState)[keyof typeof FollowerState];

/** Of the binlog follower, in the one list of events. */
export interface FollowerEvent {
  readonly kind: 'binlog-follower-changed';
  readonly address: ServerAddress;
  readonly to: FollowerState;
  /** Why it does not follow; '' when it does. */
  readonly reason: string;
  /** What to do about it; '' for nothing. */
  readonly remedy: string;
}
