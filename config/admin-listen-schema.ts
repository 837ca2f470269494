/** Where else the admin port listens, and with which certificates. */
import * as z from 'zod';
import { listenPlaces } from './listen-places.ts';
import { describe } from './schema-parts.ts';
import { pem } from './transport-schema.ts';

export const adminListenSettings = {
  ...listenPlaces('0770', 'these Unix sockets'),
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
