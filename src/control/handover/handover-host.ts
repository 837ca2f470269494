/** What the process that gives its sockets away does for it: the composition root of the main thread. */

import type { ListeningSocket } from '../../common/listening-socket.ts';
import type { HandoverEvent } from './handover-event.ts';
import type { AdministeredServer } from './handover-messages.ts';

export interface HandoverSettings {
  readonly startTimeoutMs: number;
  readonly idleMs: number;
  readonly drainMs: number;
}

export interface HandoverHost {
  readonly version: string;
  settings(): HandoverSettings;
  /** Why it cannot be now; null if it can. */
  obstacle(): string | null;
  /** Of what is in force: another one after each change. */
  configurationNumber(): number;
  /** Where what is in force was changed and is not on DISK, in words: another process starts without it. */
  unsaved(): Promise<readonly string[]>;
  /** @throws Error if they cannot be told */
  sockets(): Promise<readonly ListeningSocket[]>;
  /** What an operator has said of servers, as it is now. */
  administered(): readonly AdministeredServer[];
  nextConnectionId(): number;
  clients(): number;
  /** Gives up what only one process may do, so that it can be taken back; vouches for nothing any more. */
  suspendRoles(): Promise<void>;
  resumeRoles(): void;
  /** Another process writes to the same output, or does not any more. */
  sharesLog(isShared: boolean): void;
  /** The other process lets clients in: this one does not any more. Resolves when it has no clients left. */
  drain(): Promise<void>;
  /** For good. */
  endRoles(): Promise<void>;
  note(event: HandoverEvent): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}
