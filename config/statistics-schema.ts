/** Settings of what is counted of statements. */
import * as z from 'zod';
import { describe, integer, milliseconds, section } from './schema-parts.ts';

export const statisticsSection = section(
  'What is counted of statements, for the tables of the admin port and `/metrics`.',
  {
    enabled: describe(z.boolean().default(true), {
      description: '`false` counts no statements by command, digest, error and latency.',
    }),
    digestEntries: integer(1, 10_000_000, 5000, {
      description:
        'Digests that each worker counts, by hostgroup, schema and user: the most frequent ones. What takes the place of another one has an error, which `SHOW DIGESTS` tells.',
      unit: 'entries',
    }),
    digestBytes: integer(65_536, 16_000_000_000, 8_388_608, {
      description: 'Memory of each worker for them; with longer texts there are fewer of them.',
      unit: 'bytes',
    }),
    digestTextBytes: integer(64, 16_384, 2048, {
      description: 'Longest text of a digest; what is longer is cut.',
      unit: 'bytes',
    }),
    trackClientAddress: describe(z.boolean().default(false), {
      description: 'Count digests by the address of the client as well.',
    }),
    errorEntries: integer(1, 1_000_000, 1000, {
      description: 'Different errors that each worker counts, by server, user and number.',
      unit: 'entries',
    }),
    historyIntervalMs: milliseconds(
      1000,
      60_000,
      'With `dataDir`: time between two rows of the history (schema `stats_history`).',
    ),
    historyDays: integer(1, 3650, 7, {
      description:
        'Rows of the history that are older are deleted; those of hours and days are kept for longer.',
      unit: 'days',
    }),
    longQueryMs: milliseconds(0, 1000, 'A statement that takes longer is counted as slow.'),
  },
);
