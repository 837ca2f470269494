/** One line at a time, kept for as long as the same server is asked. */

import type { SnapshotServer, SnapshotWrites } from '../../../common/snapshot.ts';
import type { MonitorCredentials, MonitorTarget } from '../../monitor/monitor-connection.ts';
import { ServerLink } from './server-link.ts';

export interface KeptLinkOptions {
  readonly credentials: () => MonitorCredentials;
  /** Of a statement. */
  readonly timeoutMs: () => number;
}

export class KeptLink {
  readonly #options: KeptLinkOptions;
  #link: ServerLink | null = null;

  constructor(options: KeptLinkOptions) {
    this.#options = options;
  }

  to(server: MonitorTarget & { readonly address: string }): ServerLink {
    if (this.#link?.address === server.address) return this.#link;
    this.close();
    const { credentials, timeoutMs } = this.#options;
    this.#link = new ServerLink(server, credentials(), timeoutMs());
    return this.#link;
  }

  /** The next question opens another one. */
  close(): void {
    this.#link?.close();
    this.#link = null;
  }
}

/** Whose history goes on; null while there is no primary, or it was given up. */
export function settledPrimary({
  servers,
  writes,
}: {
  readonly servers: readonly SnapshotServer[];
  readonly writes: SnapshotWrites;
}): SnapshotServer | null {
  const primary = servers.find(({ role }) => role === 'primary') ?? null;
  return primary === null || primary.address === writes.fenced ? null : primary;
}
