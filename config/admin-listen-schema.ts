/** Where else the admin port listens, and with which certificates. */
import * as z from 'zod';
import { describe, optionalText } from './schema-parts.ts';
import { pem } from './transport-schema.ts';

export const adminListenSettings = {
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
      .default('0770'),
    { description: 'Permissions of these Unix sockets, octal, in quotes.', reloadable: false },
  ),
  tlsCertificate: pem(
    'Certificate that operators are shown, with the intermediate ones behind it',
    '`tls.certificate`',
  ),
  tlsKey: pem('Its private key', '`tls.key`'),
  tlsCa: pem("Authority that signs operators' certificates; with it nobody logs in by TCP without one"),
  tlsRequired: describe(z.boolean().default(false), {
    description: 'Refuse every login without TLS (error 3159), except through a Unix socket.',
  }),
};
