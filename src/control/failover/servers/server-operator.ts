/**
 * The orders that change what a server is, in one vocabulary for both flavours. Every order may be given twice: whoever
 * goes on with what another process has begun does not know how far that came. All throw ServerOrderError.
 */

import type { ServerAddress } from '../../../topology/server-description.ts';
import type { ServerLink } from './server-link.ts';
import type { ServerState } from './server-state.ts';

export interface ReplicationCredentials {
  readonly username: string;
  readonly password: string;
}

/** From whom a server is to replicate. */
export interface ReplicationSource {
  readonly host: string;
  readonly port: number;
  /** null: those that the channel has; only for a server that has one. */
  readonly credentials: ReplicationCredentials | null;
  /** Encrypted; null as the channel has it. */
  readonly tls: boolean | null;
}

export type ReplicationThread = 'all' | 'io' | 'sql';

export interface ServerOperator {
  readonly address: ServerAddress;
  readonly link: ServerLink;
  readState(): Promise<ServerState>;
  /** `ServerState.executed` as it is now. */
  executedGtids(): Promise<string>;
  /** Whether the server has applied all of them within the time. Only what replication brings is waited for. */
  waitForGtids(gtids: string, timeoutMs: number): Promise<boolean>;
  /** Ordinary accounts cannot write from the moment of the answer; on MySQL administrators cannot either. */
  setReadOnly(timeoutMs?: number): Promise<void>;
  setWritable(): Promise<void>;
  stopReplication(channel: string, thread?: ReplicationThread): Promise<void>;
  startReplication(channel: string, thread?: ReplicationThread): Promise<void>;
  /** Forgets the source; the threads must stand. */
  resetReplication(channel: string): Promise<void>;
  /** Replicates from there by GTID, beginning with what it has not got; starts the threads. */
  follow(source: ReplicationSource, channel?: string): Promise<void>;
  /** What a channel logs in with; null where the server does not tell. */
  replicationCredentials(channel: string): Promise<ReplicationCredentials | null>;
  /** As a primary waits for acknowledgements, as a replica gives them; null leaves a side as it is. */
  setSemiSync(source: boolean | null, replica: boolean | null, timeoutMs?: number): Promise<void>;
  /** Privileges ON *.* that operations need and the account lacks, in the words of GRANT. */
  missingPrivileges(): Promise<readonly string[]>;
  /** The same ON sluice.*, for what operations write down. */
  missingRecordPrivileges(): Promise<readonly string[]>;
  close(): void;
}
