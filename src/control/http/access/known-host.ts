/**
 * By which names this port may be asked. A page of somebody else can give its own name the address 127.0.0.1 (DNS
 * rebinding): the browser then takes what answers there for a part of that page. On loopback nobody has a name but
 * `localhost`, and the name of a proxy in front, which is a setting; elsewhere default passwords are refused anyway.
 */
import { isIP } from 'node:net';
import { isLoopback } from '../../../../config/default-password.ts';

export interface HostSettings {
  readonly host: string;
  readonly hostNames: readonly string[];
}

/** @param header the `Host` of a request */
export function isKnownHost(header: string | undefined, { host, hostNames }: HostSettings): boolean {
  if (!isLoopback(host)) return true;
  const name = (header ?? '')
    .replace(/:[0-9]*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return true;
  return hostNames.some((known) => known.toLowerCase() === name);
}
