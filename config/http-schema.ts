/** The http port: health, metrics, and the dashboard with its API. */
import * as z from 'zod';
import {
  describe,
  hostName,
  integer,
  listenPort,
  milliseconds,
  optionalText,
  section,
} from './schema-parts.ts';

export const httpSection = section('`/healthz`, `/readyz`, `/metrics`, and the dashboard for operators.', {
  host: hostName(
    '127.0.0.1',
    'Address to listen on; anything but loopback needs passwords of your own in `admin.users`, or `http.dashboard: false`.',
  ),
  port: listenPort(6080, 'TCP port; 0 lets the system choose.'),
  dashboard: describe(z.boolean().default(true), {
    description:
      'Serve the dashboard and its API to those who log in as one of `admin.users`; `false` leaves health and metrics.',
    reloadable: false,
  }),
  openMetrics: describe(z.boolean().nullable().default(null), {
    description: 'Whether `/metrics` is answered without a login.',
    defaultText: 'where `http.host` is loopback',
  }),
  metricsAddress: optionalText({
    description:
      'Another `host:port` to listen on, for `/metrics`, `/healthz` and `/readyz` alone, which are open there.',
    reloadable: false,
    defaultText: 'none',
  }),
  tls: describe(z.boolean().default(false), {
    description: 'HTTPS, with `tls.certificate` and `tls.key`; `http.metricsAddress` stays without.',
    reloadable: false,
  }),
  hostNames: describe(z.array(z.string().min(1).max(253)).max(64).default([]), {
    description:
      'Names that browsers may know this port by, where `http.host` is loopback: those of a proxy in front of it. `localhost` and IP addresses always are; by any other name somebody may have led a browser here.',
    defaultText: 'none',
  }),
  sessionIdleMs: milliseconds(
    1000,
    3_600_000,
    'A login ends when its owner has not touched the dashboard for this long.',
  ),
  sessionMaxMs: milliseconds(1000, 43_200_000, 'A login ends after this time in any case.'),
  maxConnections: integer(8, 10_000, 128, {
    description: 'Most connections to the http port; for one more idle ones are closed, or else the oldest.',
    unit: 'connections',
    reloadable: false,
  }),
});
