/** The running proxy as the process that runs it knows it. */

import type { Config } from '../../config/schema.ts';
import type { GivenOver } from './handover/handover-giver.ts';
import type { AppliedConfig } from './runtime/runtime-host.ts';

/** Where the running proxy can be reached; `host:port`, with the ports that the system chose. */
export interface SluiceAddresses {
  readonly listen: string;
  readonly socket: string | null;
  readonly admin: string | null;
  readonly http: string | null;
}

export interface SluiceHandle {
  readonly addresses: SluiceAddresses;
  /**
   * Applies what has changed in the file since it was read last; on a rejection all is as before.
   * @param read the configuration as it is now
   */
  reload(read: () => Promise<Config>): Promise<AppliedConfig>;
  /** Of each worker that runs, how often it has said that it does: about once a second. */
  beats(): readonly number[];
  /** How many commands the workers have had from clients since the start, those of ended workers included. */
  commands(): number;
  /** For what rotates log files: goes on in new ones of the same paths. */
  reopenLogs(): void;
  /**
   * Starts this program again and hands the listening sockets over; resolves when the new process lets clients in.
   * @param by what has asked for it
   * @throws HandoverError, with everything as before
   */
  handOver(by: string): Promise<GivenOver>;
  /** Another process has taken over, and the last client here has gone: to be stopped. */
  readonly finished: Promise<void>;
  /** Another process has taken over, and speaks for the service. */
  readonly isSuperseded: boolean;
  /** Drains, then closes everything; resolves when nothing is left. */
  stop(reason: string): Promise<void>;
}
