/** Where a port listens besides its TCP address. */
import * as z from 'zod';
import { describe, optionalText } from './schema-parts.ts';

/** @param socketMode permissions of the sockets that `sockets` names, for whoever reads the table of settings. */
export function listenPlaces(socketMode: string, sockets: string) {
  return {
    socket: optionalText({
      description: 'Path of a Unix socket to listen on as well.',
      reloadable: false,
      defaultText: 'none',
    }),
    addresses: describe(z.array(z.string().min(1)).max(64).default([]), {
      description: 'More to listen on: `host:port`, `[::1]:port`, or the path of a Unix socket.',
      reloadable: false,
      defaultText: 'none',
    }),
    socketMode: describe(
      z
        .string()
        .regex(/^0?[0-7]{3}$/, 'expected three octal digits, in quotes')
        .default(socketMode),
      { description: `Permissions of ${sockets}, octal, in quotes.`, reloadable: false },
    ),
  };
}
