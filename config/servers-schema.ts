/** Elements of `servers`. */
import * as z from 'zod';
import { zone } from './balancing-schema.ts';
import { MAX_CONNECTIONS, MAX_HOSTGROUP } from './capacity.ts';
import { comment, describe, integer, milliseconds } from './schema-parts.ts';
import { pem, TLS_MODES } from './transport-schema.ts';

export const serverSchema = z
  .strictObject({
    host: describe(z.string().min(1), {
      description: 'Host name or IP address; IPv6 with or without brackets.',
    }),
    port: integer(1, 65_535, 3306, { description: 'TCP port of the server.' }),
    weight: integer(0, 10_000_000, 1, {
      description: 'Share of the reads relative to the other servers of its hostgroup; 0 takes no reads.',
    }),
    maxConnections: describe(z.int().min(1).max(MAX_CONNECTIONS).nullable().default(null), {
      description: 'Most connections to this server over all workers.',
      unit: 'connections',
      defaultText: '`pool.maxConnections`',
    }),
    maxReplicationLagMs: milliseconds(0, 0, 'A replica further behind takes no reads; 0 sets no limit.'),
    hostgroup: describe(z.int().min(0).max(MAX_HOSTGROUP).nullable().default(null), {
      description:
        'Hostgroup of the server. In one of a pair of replication hostgroups, the measured role decides in which of the two it is; any other one has the servers that are listed for it. A server may be listed again for another hostgroup.',
      defaultText: 'measured, in the first pair',
    }),
    status: describe(z.enum(['ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD']).default('ONLINE'), {
      description:
        '`OFFLINE_SOFT`: nothing new is sent to the server, what runs may end; `OFFLINE_HARD`: and its connections are closed. `SHUNNED` is the same as `ONLINE`, whether a server is fit is measured.',
    }),
    compression: describe(z.boolean().default(false), {
      description: 'Kept for tools that write it; of no effect: servers are talked to uncompressed.',
    }),
    maxLatencyMs: milliseconds(
      0,
      0,
      'A server whose pings (smoothed) take longer takes no reads; 0 sets no limit.',
    ),
    gtidPort: integer(0, 65_535, 0, {
      description: "Port of ProxySQL's binlog reader; kept for tools that write it, of no effect.",
    }),
    zone: zone('Availability zone of the server; see `routing.zone`.'),
    comment: comment(),
    tls: describe(
      z
        .union([z.boolean(), z.enum(TLS_MODES)])
        .nullable()
        .default(null),
      {
        description:
          'TLS towards this server, in the words of `backendTls.mode`; `true` is `REQUIRED`, `false` `DISABLED`.',
        defaultText: '`backendTls.mode`',
      },
    ),
    tlsCa: pem("Authority that signs this server's certificate", '`backendTls.ca`'),
    tlsCertificate: pem("Sluice's own certificate for it", '`backendTls.certificate`'),
    tlsKey: pem('Its private key', '`backendTls.key`'),
    tlsServerName: describe(z.string().min(1).max(253).nullable().default(null), {
      description: "Name that the server's certificate has to be for, and that is sent to it (SNI).",
      defaultText: '`host`',
    }),
  })
  .meta({ description: 'A backend server.' });
