/** Moves a connection from one of Node's sockets to another, which may read in another way. */

import { Socket } from 'node:net';

/** What `net.Socket` takes but does not document: the server itself makes its sockets with it. */
interface HandleOwner {
  _handle: object | null;
}

/** The socket that had it is of no use afterwards, and emits nothing more. */
export function takeHandle(socket: Socket): object | null {
  const donor = socket as unknown as HandleOwner;
  const handle = donor._handle;
  donor._handle = null;
  return handle;
}

/** A socket of the ordinary kind for the same connection, which reads `unread` first. */
export function ordinarySocket(socket: Socket, unread: Buffer): Socket {
  const raw = new Socket({ handle: takeHandle(socket) } as object);
  if (unread.length > 0) raw.unshift(unread);
  return raw;
}
