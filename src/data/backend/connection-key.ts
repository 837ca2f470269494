/** What makes connections of one pool alike: these cannot be changed once the handshake is done. */

import type { Credentials } from './credentials.ts';

export interface ConnectionKey {
  readonly credentials: Credentials;
  /** Client capabilities that change how the server behaves (CLIENT_FOUND_ROWS …). */
  readonly behaviourFlags: number;
  /** Equal for equal keys. */
  readonly text: string;
}

export function connectionKeyOf(credentials: Credentials, behaviourFlags: number): ConnectionKey {
  const text = `${credentials.username}\0${behaviourFlags}\0${credentials.digest}`;
  return { credentials, behaviourFlags, text };
}
