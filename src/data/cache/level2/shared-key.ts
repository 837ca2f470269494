/**
 * The key of a result in the second level: the same in all Sluices for what may be shared, and another one for everything
 * else. A hash of what the worker's own key stands for, with nothing in it that is a number of one process.
 */

import { createHash } from 'node:crypto';

/** Goes up when keys or values mean something else: what was written before is not found any more. */
const FORMAT = 2;

export interface SharedKeyParts {
  /** Whose data it is: flavor, version, and address of the primary, and what its GTIDs begin with. */
  readonly server: string;
  /** Account, schema, and variables of the session (`CacheScope.identity`). */
  readonly scope: string;
  /** COM_QUERY or COM_STMT_EXECUTE. */
  readonly command: number;
  /** Normalised text of the statement's plan: hints and conditional comments are part of it. */
  readonly digest: Buffer;
  /** Text, schema and session of what was prepared; null for a statement as text. */
  readonly prepared: {
    readonly text: Buffer;
    readonly schema: string | null;
    readonly session: string;
  } | null;
  /** Hostgroups, and the exact text or the parameters. */
  readonly rest: Buffer;
}

/** @returns 32 bytes. */
export function sharedKey({ server, scope, command, digest, prepared, rest }: SharedKeyParts): Buffer {
  const hash = createHash('sha256');
  const parts = [
    `sluice ${FORMAT} ${command}`,
    server,
    scope,
    digest,
    ...(prepared === null ? [] : [prepared.text, prepared.schema ?? '\0', prepared.session]),
    rest,
  ];
  const length = Buffer.allocUnsafe(4);
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    // With its length in front no part looks like the end of another one.
    length.writeUInt32LE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest();
}
