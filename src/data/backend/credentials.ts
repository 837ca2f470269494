/** How Sluice proves to a server that it may act for a user. */

import { createHash } from 'node:crypto';
import type { ClientPassword } from '../../../protocol/index.ts';

export interface Credentials {
  readonly username: string;
  readonly secret: ClientPassword;
  /** Tells different secrets of one user apart without being one: connections are shared only where it is equal. */
  readonly digest: string;
}

export function makeCredentials(username: string, secret: ClientPassword): Credentials {
  const hash = createHash('sha256').update(secret.kind);
  if (secret.kind === 'plain') hash.update(secret.value);
  else if (secret.kind === 'nativeSha1') hash.update(secret.sha1Stage1);
  else if (secret.kind === 'sha2Stage1') hash.update(secret.sha256Stage1);
  return { username, secret, digest: hash.digest('base64') };
}
