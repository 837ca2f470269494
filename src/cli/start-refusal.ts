/** Why Sluice does not start, where that is for the operator to put right: a line each, without a stack trace. */

import { accessSync, constants } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { formatAddress } from '../../config/server-address.ts';
import { makeFolder } from '../common/make-folder.ts';
import { portHolder } from './port-holder.ts';

/** Their messages say which setting, and what is wrong with it. */
const TOLD_BY_MESSAGE: ReadonlySet<string> = new Set(['ConfigError', 'TlsMaterialError', 'LogFileError']);

/** As Node and libuv say it: `listen EADDRINUSE: address already in use 127.0.0.1:6033`. */
const CANNOT_LISTEN = /\b(?:listen|bind) (E[A-Z]+): .*? (\S+)$/;
const NO_SUCH_HOST = /\bgetaddrinfo (E[A-Z_]+) (\S+)$/;
/** Of `src/common/socket-path.ts`. */
const SOCKET_TAKEN = /(\/\S+ exists and is no socket|somebody else listens on \/\S+)$/;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'not permitted; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOENT: 'there is no such folder',
};

function settingOf(config: Config, address: string): string {
  const { listen, admin, http } = config;
  const places: [string, string][] = [
    ['listen.port', formatAddress(listen.host, listen.port)],
    ['admin.port', formatAddress(admin.host, admin.port)],
    ['http.port', formatAddress(http.host, http.port)],
    ['http.metricsAddress', http.metricsAddress ?? ''],
    ['listen.socket', listen.socket ?? ''],
    ['admin.socket', admin.socket ?? ''],
    ...listen.addresses.map((each): [string, string] => ['listen.addresses', each]),
    ...admin.addresses.map((each): [string, string] => ['admin.addresses', each]),
  ];
  // The system writes an IPv6 address without brackets.
  const bare = (text: string) => text.replaceAll(/[[\]]/g, '');
  return places.find(([, place]) => bare(place) === bare(address))?.[0] ?? 'listen';
}

function listenRefusal(config: Config, code: string, address: string): string {
  const setting = settingOf(config, address);
  if (code !== 'EADDRINUSE')
    return `${setting}: cannot listen on ${address}: ${REASONS[code] ?? 'refused by the system'} (${code})`;
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  const holder = Number.isNaN(port) ? null : portHolder(port);
  return `${setting}: cannot listen on ${address}: it is in use${holder === null ? '' : ` by ${holder}`} (${code})`;
}

/**
 * @param error that the start ended with
 * @returns null for what nobody has expected, of which every detail is wanted
 */
export function startRefusal(error: unknown, config: Config): readonly string[] | null {
  if (!(error instanceof Error)) return null;
  if (TOLD_BY_MESSAGE.has(error.name)) return error.message.split('\n');
  if (error.name === 'RowError') return error.message.split('; ');
  const [, code, address] = CANNOT_LISTEN.exec(error.message) ?? [];
  if (code !== undefined && address !== undefined) return [listenRefusal(config, code, address)];
  const [, resolving, host] = NO_SUCH_HOST.exec(error.message) ?? [];
  if (resolving !== undefined) return [`cannot listen on ${host}: there is no such host (${resolving})`];
  const socket = SOCKET_TAKEN.exec(error.message)?.[1];
  return socket === undefined ? null : [`cannot listen: ${socket}`];
}

/** What the folder for changes of operators is refused for; null if it can be used. */
export function dataDirProblem(dataDir: string | null): string | null {
  if (dataDir === null) return null;
  try {
    makeFolder(dataDir, 0o700);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code = (error as Error).message } = error as NodeJS.ErrnoException;
    return `dataDir: ${dataDir} cannot be written (${code}); without dataDir Sluice keeps nothing and needs no folder`;
  }
}
