/** Which writes a read on a replica must see. */
import * as z from 'zod';
import { describe, integer, section } from './schema-parts.ts';

/** Statements of Sluice's own that take longer are taken for lost. */
const MAX_WAIT_MS = 5000;

export const causalLevel = z.enum(['none', 'session', 'table']);

export const causalReadsSection = section('Which writes a read on a replica must see.', {
  level: describe(causalLevel.default('table'), {
    description:
      '`table`: all that anybody has written to its tables through this Sluice, and was told so before the read began; `session`: what its own session has written; `none`: whatever the replica has.',
  }),
  waitMs: integer(0, MAX_WAIT_MS, 50, {
    description:
      'A read whose writes no replica has waits so long for one of them, and goes to the primary then; 0: at once.',
    unit: 'ms',
  }),
});
