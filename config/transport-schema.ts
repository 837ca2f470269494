/** The settings of TLS in both directions, and of the PROXY protocol. */
import * as z from 'zod';
import { describe, milliseconds, optionalText, section } from './schema-parts.ts';

export const TLS_MODES = ['DISABLED', 'PREFERRED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'] as const;

/** Where something in PEM is wanted: the path of a file, or the text itself. */
export function pem(what: string, defaultText = 'none') {
  return optionalText({ description: `${what}: path of a PEM file, or the PEM text itself.`, defaultText });
}

function minimumTlsVersion() {
  return describe(z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).default('TLSv1.2'), {
    description: 'Oldest version of TLS that is accepted.',
  });
}

export const tlsSection = section(
  'TLS towards clients; offered once there is a certificate. Files are looked at again and again: a new certificate is used by new connections.',
  {
    certificate: pem("Sluice's certificate, with the intermediate ones behind it"),
    key: pem('Its private key'),
    ca: pem("Authority that signs clients' certificates; with it clients are asked for one"),
    minVersion: minimumTlsVersion(),
    required: describe(z.boolean().default(false), {
      description: 'Refuse every login without TLS (error 3159), except through a Unix socket.',
    }),
    reloadIntervalMs: milliseconds(
      100,
      10_000,
      'Time between two looks whether files of certificates, keys and authorities have changed, those for servers included.',
    ),
  },
);

export const backendTlsSection = section(
  'TLS towards servers, for checks as well as for statements; `servers[]` can say otherwise for one of them.',
  {
    mode: describe(z.enum(TLS_MODES).default('DISABLED'), {
      description:
        "MySQL's words of `--ssl-mode`. `PREFERRED` uses TLS if the server offers it; `REQUIRED` never goes on without; `VERIFY_CA` also checks who signed the server's certificate, `VERIFY_IDENTITY` also its name.",
    }),
    ca: pem("Authorities that sign servers' certificates", "the system's"),
    certificate: pem("Sluice's own certificate, for servers that ask for one"),
    key: pem('Its private key'),
    minVersion: minimumTlsVersion(),
  },
);

export const proxyProtocolSection = section(
  'Load balancers in front of Sluice that tell whose connection they bring (PROXY protocol, version 1 or 2).',
  {
    networks: describe(z.array(z.string().min(1)).max(1000).default([]), {
      description:
        'From where a header is believed: addresses, networks (`10.0.0.0/8`, `fd00::/8`), `localhost` for Unix sockets, `*` for all. A header from elsewhere is refused (error 1130). Connections without one are served as ever.',
      defaultText: 'none',
    }),
  },
);
