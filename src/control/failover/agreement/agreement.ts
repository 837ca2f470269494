/**
 * Who may change the servers, where several Sluices stand in front of them. One alone may always (`SoleAgreement`);
 * several agree through etcd (etcd-agreement.ts).
 */

import type { PeerTestimony } from '../../../topology/primary-death.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';

export const AgreementState = {
  /** Nobody else is there to agree with. */
  alone: 'alone',
  /** This one changes the servers, the others follow. */
  leader: 'leader',
  follower: 'follower',
  /** etcd does not answer: nothing is changed. */
  lost: 'lost',
} as const;
export type AgreementState = (typeof AgreementState)[keyof typeof AgreementState];

/** What this Sluice's own checks say of the primary, for the others. */
export interface PrimaryView {
  /** Of the server, not of its address: others may know it by another one. */
  readonly identity: string;
  readonly hears: boolean;
}

export interface TermClaim {
  readonly from: ServerAddress | null;
  readonly to: ServerAddress;
}

export interface Agreement {
  readonly state: AgreementState;
  /** Why this one may not change the servers now; null where it may. Asked again before each step that does. */
  refusal(): string | null;
  /**
   * Begins a new term, of which nobody but this Sluice names the primary.
   * @returns its number, higher than all before; null where this Sluice alone counts
   * @throws Error where it cannot be begun: nothing may be promoted then
   */
  claimTerm(claim: TermClaim): Promise<number | null>;
  announce(view: PrimaryView | null): void;
  /** What the others say of this server. @throws Error where they cannot be asked */
  peers(identity: string): Promise<readonly PeerTestimony[]>;
  stop(): Promise<void>;
}

export class SoleAgreement implements Agreement {
  readonly state = AgreementState.alone;

  refusal(): null {
    return null;
  }

  claimTerm(): Promise<null> {
    return Promise.resolve(null);
  }

  announce(): void {}

  peers(): Promise<readonly PeerTestimony[]> {
    return Promise.resolve([]);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
