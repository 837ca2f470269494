/** `0.0.0.0:6033;[::1]:6033;/tmp/proxysql.sock` as what Sluice listens on. */
import { parseServerAddress } from '../../../config/server-address.ts';

export interface ListenAddresses {
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
  readonly addresses: readonly string[];
}

/** Null where no address of it can be listened on by TCP, which Sluice always does. */
export function readListenAddresses(text: string): ListenAddresses | null {
  const parts = text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const isSocket = (part: string) => part.startsWith('/');
  const [first, ...others] = parts.filter((part) => !isSocket(part));
  const [socket = null, ...sockets] = parts.filter(isSocket).map((part) => part.replace(/:0$/, ''));
  if (first === undefined || !/:[0-9]+$/.test(first)) return null;
  const address = parseServerAddress(first, 0);
  if (!address.ok) return null;
  return { host: address.host, port: address.port, socket, addresses: [...others, ...sockets] };
}
