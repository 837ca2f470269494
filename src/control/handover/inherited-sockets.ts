/** Which of the sockets of the process before this one are wanted, by this configuration. */

import type { Config } from '../../../config/schema.ts';
import { parseServerAddress } from '../../../config/server-address.ts';
import { type ListeningSocket, SocketUse } from '../../common/listening-socket.ts';
import { listenOptions } from '../listen-options.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

/** An address with port 0 takes whatever port was chosen then. */
function isAt({ host, port }: Place, socket: ListeningSocket): boolean {
  return socket.path === null && socket.host === host && (port === 0 || socket.port === port);
}

export function isWanted({ listen, admin, http }: Config, socket: ListeningSocket): boolean {
  switch (socket.use) {
    case SocketUse.clients:
    case SocketUse.admin: {
      const { host, port, more, sockets } = listenOptions(socket.use === SocketUse.admin ? admin : listen);
      if (socket.path !== null) return sockets.includes(socket.path);
      return [{ host, port }, ...more].some((place) => isAt(place, socket));
    }
    case SocketUse.http:
      return isAt(http, socket);
    case SocketUse.metrics: {
      const address = parseServerAddress(http.metricsAddress ?? '', 0);
      return address.ok && isAt(address, socket);
    }
  }
}

/** The port for clients: that of the sockets where the configuration leaves it to the system. */
export function inheritedPort({ listen }: Config, sockets: readonly ListeningSocket[]): number {
  if (listen.port !== 0) return listen.port;
  const socket = sockets.find((each) => each.use === SocketUse.clients && isAt(listen, each));
  return socket?.port ?? 0;
}
