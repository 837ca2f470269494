/** What `cache.level2.endpoints` names: `host:port`, or `unix:` and the path of a socket. */

export type SocketTarget = { readonly host: string; readonly port: number } | { readonly path: string };

const UNIX = 'unix:';

export function targetOf(endpoint: string): SocketTarget {
  if (endpoint.startsWith(UNIX)) return { path: endpoint.slice(UNIX.length) };
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(endpoint.slice(colon + 1)) };
}
