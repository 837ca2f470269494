/** Starts, feeds and stops the workers and everything of the control plane. */
import type { Config } from '../../config/schema.ts';
import type { Logger } from '../common/logger.ts';

/** Where the running proxy can be reached; `host:port`, with the ports that the system chose. */
export interface SluiceAddresses {
  readonly listen: string;
  readonly socket: string | null;
  readonly admin: string | null;
  readonly http: string | null;
}

export interface SluiceHandle {
  readonly addresses: SluiceAddresses;
  /** Applies a valid configuration; on a rejection the old one is still in force. */
  reload(config: Config): Promise<void>;
  /** Drains, then closes everything; resolves when nothing is left. */
  stop(reason: string): Promise<void>;
}

export function startSluice(_config: Config, _logger: Logger, _version: string): Promise<SluiceHandle> {
  return Promise.reject(new Error('this build has no data plane'));
}
