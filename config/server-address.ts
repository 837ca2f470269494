/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address, as `servers` takes them. */
import { isIP, isIPv6 } from 'node:net';

const DEFAULT_SERVER_PORT = 3306;

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/;

export type AddressResult =
  | { readonly ok: true; readonly host: string; readonly port: number }
  | { readonly ok: false; readonly message: string };

function fail(message: string): AddressResult {
  return { ok: false, message };
}

/** A host as it is used for connecting: brackets taken off, names in lower case; null when it is none. */
export function parseHost(text: string): string | null {
  const bracketed = /^\[(.*)\]$/.exec(text);
  if (bracketed) return isIPv6(bracketed[1]!) ? bracketed[1]!.toLowerCase() : null;
  if (isIP(text) !== 0) return text.toLowerCase();
  // Four numbers that are no IPv4 address would be looked up as a name, after a long wait.
  if (/^[0-9.]+$/.test(text) || !HOST_NAME.test(text)) return null;
  return text.toLowerCase();
}

function parsePort(text: string, least: number): number | null {
  if (!/^[0-9]{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= least && port <= 65_535 ? port : null;
}

/** `leastPort` 0 where the system may choose. */
export function parseServerAddress(text: string, leastPort = 1): AddressResult {
  // Somebody may paste a DSN: its password must not come back in a message.
  if (text.includes('@') || text.includes('/')) {
    return fail('expected host:port, without user, password, scheme or path');
  }
  const bare = isIPv6(text);
  const match = bare ? null : /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text);
  const host = parseHost(bare ? text : (match?.[1] ?? ''));
  if (host === null) return fail(`expected host:port, "${text.slice(0, 80)}" has no valid host`);
  const portText = match?.[2];
  if (portText === undefined) return { ok: true, host, port: DEFAULT_SERVER_PORT };
  const port = parsePort(portText, leastPort);
  if (port === null) return fail(`"${text.slice(0, 80)}" has no valid port, expected ${leastPort} to 65535`);
  return { ok: true, host, port };
}

/** `host:port` with IPv6 hosts in brackets: the name of a server everywhere in Sluice. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
