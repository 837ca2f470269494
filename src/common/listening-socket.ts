/** Listening sockets as another process is told of them, which gets the same ones under other numbers. */

import { readlinkSync } from 'node:fs';
import type { Server } from 'node:net';

export const SocketUse = {
  clients: 'clients',
  admin: 'admin',
  http: 'http',
  /** The address of the metrics alone. */
  metrics: 'metrics',
} as const;
export type SocketUse = (typeof SocketUse)[keyof typeof SocketUse];

export interface ListeningSocket {
  readonly use: SocketUse;
  /** As the configuration names it; '' for a Unix socket. */
  readonly host: string;
  /** In use: never 0, but for a Unix socket. */
  readonly port: number;
  /** Of a Unix socket; null for TCP. */
  readonly path: string | null;
  readonly fd: number;
  /** The system's name of the socket behind the descriptor; '' where it has none (it is Linux that has). */
  readonly identity: string;
}

/** A descriptor may be closed, and its number used again, by a thread that knows nothing of this. */
export function socketIdentity(fd: number): string {
  try {
    const name = readlinkSync(`/proc/self/fd/${fd}`);
    return name.startsWith('socket:') ? name : 'none';
  } catch {
    return process.platform === 'linux' ? 'none' : '';
  }
}

/** @throws Error if it does not listen. @param place as the configuration names it */
export function listeningSocket(
  server: Server,
  use: SocketUse,
  place: Pick<ListeningSocket, 'host' | 'path'>,
): ListeningSocket {
  // Named by the documentation of `server.listen(handle)`; descriptors are the process's, whichever thread has opened them.
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd ?? -1;
  if (fd < 0) throw new Error('the descriptor of a listening socket is not known');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { use, ...place, port, fd, identity: socketIdentity(fd) };
}
