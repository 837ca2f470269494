/** Everything that can happen to a topology: a closed set, shown in log, admin and tests as it stands. */

import type { ServerAddress, ServerRole, ServerStatus } from './server-description.ts';
import type { CheckName } from './server-probe.ts';

export const ServerRemovalReason = {
  /** Taken out of the configuration. */
  configuration: 'configuration',
  /** Discovered, and not reachable for longer than the limit. */
  unreachable: 'unreachable',
} as const;
export type ServerRemovalReason = (typeof ServerRemovalReason)[keyof typeof ServerRemovalReason];

export const PrimaryChangeReason = {
  /** The only writable server that replicates from nobody. */
  measured: 'measured',
  /** Of several writable ones, the one that the others replicate from. */
  mostReplicas: 'most-replicas',
  /** Of several writable ones that replicate from each other, the one configured first. */
  configuredFirst: 'configured-first',
  /** The primary became read-only or began to replicate, and nobody took its place. */
  notWritable: 'not-writable',
  /** Several writable servers, and nothing tells which one is right. */
  ambiguous: 'ambiguous',
  /** The primary is no longer part of the topology. */
  removed: 'removed',
} as const;
export type PrimaryChangeReason = (typeof PrimaryChangeReason)[keyof typeof PrimaryChangeReason];

export type TopologyEvent =
  | {
      readonly kind: 'server-added';
      readonly address: ServerAddress;
      readonly origin: 'seed' | 'discovered';
      /** The server through which it was found; null for a seed. */
      readonly via: ServerAddress | null;
    }
  | { readonly kind: 'server-removed'; readonly address: ServerAddress; readonly reason: ServerRemovalReason }
  | {
      readonly kind: 'status-changed';
      readonly address: ServerAddress;
      readonly from: ServerStatus;
      readonly to: ServerStatus;
      readonly reason: string;
    }
  | {
      readonly kind: 'role-changed';
      readonly address: ServerAddress;
      readonly from: ServerRole;
      readonly to: ServerRole;
    }
  | {
      readonly kind: 'primary-changed';
      readonly from: ServerAddress | null;
      readonly to: ServerAddress | null;
      readonly reason: PrimaryChangeReason;
    }
  | {
      readonly kind: 'two-primaries';
      /** The one that keeps the writes; null where none could be told to be right. */
      readonly kept: ServerAddress | null;
      /** Writable and replicating from nobody as well; none of them gets traffic. */
      readonly others: readonly ServerAddress[];
    }
  | { readonly kind: 'two-primaries-resolved'; readonly primary: ServerAddress | null }
  | { readonly kind: 'read-only-changed'; readonly address: ServerAddress; readonly readOnly: boolean }
  | {
      readonly kind: 'source-changed';
      readonly address: ServerAddress;
      readonly from: ServerAddress | null;
      readonly to: ServerAddress | null;
    }
  | {
      readonly kind: 'replication-changed';
      readonly address: ServerAddress;
      readonly running: boolean;
      /** The error of the thread that stopped, `''` when there is none. */
      readonly error: string;
    }
  | {
      /** A replica left the reads of the hostgroups that have this limit, or returned to them. */
      readonly kind: 'lag-changed';
      readonly address: ServerAddress;
      readonly lagging: boolean;
      readonly limitMs: number;
      /** null: it has not been measured for longer than the limit. */
      readonly lagMs: number | null;
    }
  | {
      readonly kind: 'version-changed';
      readonly address: ServerAddress;
      readonly from: string;
      readonly to: string;
    }
  | {
      /** Another server answers at the address: what was known of it is forgotten. */
      readonly kind: 'server-replaced';
      readonly address: ServerAddress;
    }
  | {
      /** The first failure in a row; the ones that follow show as a change of status. */
      readonly kind: 'check-failed';
      readonly address: ServerAddress;
      readonly check: CheckName;
      readonly reason: string;
    }
  | { readonly kind: 'check-recovered'; readonly address: ServerAddress; readonly check: CheckName }
  | {
      /** Two addresses of one server: the second gets no traffic. */
      readonly kind: 'duplicate-server';
      readonly address: ServerAddress;
      readonly sameAs: ServerAddress;
    };
