/** The one spelling of a server's name: `host:port`, lower case, IPv6 hosts in brackets. */

import type { ServerAddress } from './server-description.ts';

export function formatServerAddress(host: string, port: number): ServerAddress {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const name = bare.toLowerCase();
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}

/** Null where the text is not `host:port` with a port from 1 to 65535. */
export function splitServerAddress(address: ServerAddress): { host: string; port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || !(port >= 1 && port <= 65_535) ? null : { host, port };
}
