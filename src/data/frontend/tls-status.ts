/**
 * SHOW STATUS as a direct connection would show it: a server tells of the TLS between Sluice and itself, and clients
 * ask whether their own connection is encrypted. The rows that are about one connection take the values of the
 * client's; those that count for the whole server stay as they are, as does everything around them.
 */

import { framePacket, lenencSize, writeLenenc } from '../../../protocol/index.ts';
import type { TlsDescription } from '../io/tls-client-stream.ts';

const HEADER_BYTES = 4;
/** In front of a binary row's values: its marker, and the bits for NULL of two columns. */
const BINARY_ROW_START = 2;
/** No name of a status variable is longer; so its length is one byte. */
const MAX_NAME_BYTES = 64;
/** OpenSSL's, of all versions of the protocol. */
const SESSION_TIMEOUT_SECONDS = 7200;
/** -1, "no limit", as servers print it. */
const NO_DEPTH_LIMIT = '18446744073709551615';
/** `SHOW STATUS LIKE '…'`, up to the first wildcard. */
const LIKE_PATTERN = /^\s*show\s+(?:(?:session|local)\s+)?status\s+like\s*['"]([^'"%_\\]*)/i;
const PREFIX = 'ssl';
const LONGEST_LOOK = 256;

/** Rows by name. */
export type TlsStatus = ReadonlyMap<string, string>;

/** False only if it is certain that the statement's pattern leaves all those rows out. */
export function mayShowTlsStatus(packet: Buffer, start: number, end: number): boolean {
  const prefix = LIKE_PATTERN.exec(
    packet.toString('latin1', start, Math.min(end, start + LONGEST_LOOK)),
  )?.[1];
  return prefix === undefined || PREFIX.startsWith(prefix.toLowerCase());
}

/** @param tls null for a connection without. `flavor` is the server's, whose rows are rewritten. */
export function tlsStatusOf(tls: TlsDescription | null, flavor: 'mariadb' | 'mysql'): TlsStatus {
  if (tls === null) {
    const status = new Map([
      ['Ssl_cipher', ''],
      ['Ssl_cipher_list', ''],
      ['Ssl_default_timeout', '0'],
      ['Ssl_sessions_reused', '0'],
      ['Ssl_verify_depth', '0'],
      ['Ssl_verify_mode', '0'],
      ['Ssl_version', ''],
    ]);
    // MySQL tells how long its certificate is valid to everybody.
    if (flavor === 'mysql') return status;
    return status.set('Ssl_server_not_after', '').set('Ssl_server_not_before', '');
  }
  return new Map([
    ['Ssl_cipher', tls.cipher],
    ['Ssl_default_timeout', String(SESSION_TIMEOUT_SECONDS)],
    ['Ssl_server_not_after', tls.validTo],
    ['Ssl_server_not_before', tls.validFrom],
    ['Ssl_sessions_reused', tls.isReused ? '1' : '0'],
    ['Ssl_verify_depth', NO_DEPTH_LIMIT],
    ['Ssl_verify_mode', String(tls.verifyMode)],
    ['Ssl_version', tls.protocol],
  ]);
}

/**
 * @param answer whole packets with their headers. Neither a column definition nor what ends rows can be taken for a row
 * of these names, so that the packets need not be counted.
 */
export function rewriteTlsStatus(answer: Buffer, status: TlsStatus, isBinary: boolean): Buffer {
  const parts: Buffer[] = [];
  let copied = 0;
  for (let at = 0; at + HEADER_BYTES <= answer.length; ) {
    const body = at + HEADER_BYTES;
    const next = body + answer.readUIntLE(at, 3);
    const nameAt = body + (isBinary ? BINARY_ROW_START : 0);
    const nameEnd = nameAt + 1 + (nameAt < next ? answer[nameAt]! : 0);
    if (nameEnd < next && nameEnd - nameAt <= MAX_NAME_BYTES) {
      const value = status.get(answer.toString('latin1', nameAt + 1, nameEnd));
      if (value !== undefined) {
        const row = Buffer.concat([answer.subarray(body, nameEnd), lengthEncoded(value)]);
        parts.push(answer.subarray(copied, at), framePacket(row, answer[at + 3]!));
        copied = next;
      }
    }
    at = next;
  }
  if (copied === 0) return answer;
  parts.push(answer.subarray(copied));
  return Buffer.concat(parts);
}

function lengthEncoded(value: string): Buffer {
  const size = lenencSize(value.length);
  const bytes = Buffer.alloc(size + value.length);
  writeLenenc(bytes, 0, value.length);
  bytes.write(value, size, 'latin1');
  return bytes;
}
