/**
 * mysql_clear_password: the password and a NUL, as they are. Only ever over a secure transport.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_clear_text_password.html
 */

import { equalInConstantTime } from './bytes.ts';
import { sha256 } from './sha256-crypt.ts';

export const MYSQL_CLEAR_PASSWORD = 'mysql_clear_password';

export function encodeClearPassword(password: string): Buffer {
  return Buffer.concat([Buffer.from(password), Buffer.alloc(1)]);
}

/** The password in a response, up to its NUL; some clients leave the NUL out. */
export function decodeClearPassword(response: Uint8Array): string {
  const nul = response.indexOf(0);
  return Buffer.from(nul === -1 ? response : response.subarray(0, nul)).toString('utf8');
}

/** Takes a time that does not tell how much of the password is right. */
export function clearPasswordsEqual(given: string, expected: string): boolean {
  return equalInConstantTime(sha256(given), sha256(expected));
}
