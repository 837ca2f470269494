/** Accounts that clients may use, as plain data: from the configuration, or as the primary has them. */

import type { CausalLevel } from './causal-level.ts';
import type { TlsRequirement } from './snapshot.ts';

/** What opens an account; the forms that `protocol` can check. */
export type AccountCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'plain'; readonly password: string }
  | { readonly kind: 'native' | 'sha2' | 'ed25519'; readonly hash: string };

export const AccountSource = { config: 'config', backend: 'backend' } as const;
export type AccountSource = (typeof AccountSource)[keyof typeof AccountSource];

export interface Account {
  /** `''` is the anonymous one, for every name. */
  readonly username: string;
  /** A pattern, see host-pattern.ts. */
  readonly host: string;
  readonly source: AccountSource;
  /** Any of them opens it. Empty where it uses plugins only that Sluice cannot check. */
  readonly credentials: readonly AccountCredential[];
  /** The server's names of its plugins, for messages. */
  readonly plugins: readonly string[];
  readonly defaultSchema: string | null;
  /** For what no hint and no rule sends elsewhere; null: the writer of the first pair. */
  readonly defaultHostgroup: number | null;
  /** Which writes its reads must see; null: as the configuration says for all. */
  readonly causalReads: CausalLevel | null;
  /** Its sessions stay on one connection of the primary. */
  readonly fastForward: boolean;
  /** Clients over all workers, by the configuration; 0 means no limit. */
  readonly maxConnections: number;
  /** MAX_USER_CONNECTIONS of the server's account; 0 means that the server's general limit holds. */
  readonly maxUserConnections: number;
  readonly locked: boolean;
  /** From when on its password has expired, in milliseconds since 1970; 0 for already, null for never. */
  readonly expiresAtMs: number | null;
  readonly requireTls: TlsRequirement;
}

/** With its place in the shared counts. */
export interface PlacedAccount extends Account {
  /** Of `SharedCounters`; belongs to this account for as long as it exists and anybody is logged in with it. */
  readonly slot: number;
}

/** What names an account. */
export function accountName({ username, host }: Pick<Account, 'username' | 'host'>): string {
  return `'${username}'@'${host}'`;
}
