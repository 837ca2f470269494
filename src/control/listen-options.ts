/** Where clients connect, as workers and people are told. */

import type { Config } from '../../config/schema.ts';
import { parseServerAddress } from '../../config/server-address.ts';
import type { WorkerStart } from '../common/thread-messages.ts';

export function joinAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where workers, or the admin port, listen: the first address is the one whose port they tell. */
export function listenOptions(listen: Config['listen'] | Config['admin']): WorkerStart['listen'] {
  const sockets = listen.socket === null ? [] : [listen.socket];
  const more: { host: string; port: number }[] = [];
  for (const text of listen.addresses) {
    if (text.includes('/')) sockets.push(text);
    else {
      const address = parseServerAddress(text, 0);
      if (address.ok) more.push({ host: address.host, port: address.port });
    }
  }
  const socketMode = Number.parseInt(listen.socketMode, 8);
  return { host: listen.host, port: listen.port, more, sockets, socketMode };
}
