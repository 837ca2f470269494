/** The one rule about default passwords: whoever opens a port to other machines asks here first. */
import { createHash } from 'node:crypto';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Plain, or as a mysql_native_password hash. */
function isPassword(configured: string, plain: string): boolean {
  if (configured === plain) return true;
  const stage1 = createHash('sha1').update(plain).digest();
  return configured.toUpperCase() === `*${createHash('sha1').update(stage1).digest('hex').toUpperCase()}`;
}

/**
 * The users whose password anybody would guess (none, `admin`, their own name), where other machines could reach
 * `host`; on a loopback host none counts.
 */
export function exposedDefaultUsers(
  host: string,
  users: readonly { readonly username: string; readonly password: string }[],
): string[] {
  if (isLoopback(host)) return [];
  return users
    .filter(({ username, password }) => {
      return password === '' || isPassword(password, 'admin') || isPassword(password, username);
    })
    .map(({ username }) => username);
}
