/** What makes connections of one pool alike: these cannot be changed once the handshake is done. */

import type { Credentials } from './credentials.ts';

export interface ConnectionKey {
  readonly credentials: Credentials;
  /** Client capabilities that change how the server behaves (CLIENT_FOUND_ROWS …). */
  readonly behaviourFlags: number;
  /** Of MariaDB's own: those that change the shape of answers. */
  readonly mariadbFlags: number;
  /** The connection id of the client that alone may use such connections: its password has expired. */
  readonly ownerId: number | null;
  /** Equal for equal keys. */
  readonly text: string;
}

export function connectionKeyOf(
  credentials: Credentials,
  behaviourFlags: number,
  mariadbFlags: number,
  ownerId: number | null = null,
): ConnectionKey {
  const owner = ownerId === null ? '' : `\0${ownerId}`;
  const text = `${credentials.username}\0${behaviourFlags}\0${mariadbFlags}\0${credentials.digest}${owner}`;
  return { credentials, behaviourFlags, mariadbFlags, ownerId, text };
}
