/** Transactions whose connection was lost before COMMIT. */
import * as z from 'zod';
import { describe, integer, section } from './schema-parts.ts';

export const transactionReplaySection = section(
  'Whether a transaction goes on when its server is lost: its statements run again on the new primary, and it goes on if each answer is the same as before. All its tables must have transactions (InnoDB).',
  {
    enabled: describe(z.boolean().default(false), {
      description: 'Keep what open transactions have done, to do it again.',
    }),
    maxBytes: integer(1024, 1_073_741_824, 1_048_576, {
      description: 'A transaction whose statements take more is not replayed.',
      unit: 'bytes',
    }),
    maxStatements: integer(1, 1_000_000, 1000, {
      description: 'A transaction of more statements is not replayed.',
      unit: 'statements',
    }),
    maxWorkerBytes: integer(1024, 16_000_000_000, 134_217_728, {
      description: 'What all open transactions of one worker may take together; beyond it none is kept.',
      unit: 'bytes',
    }),
  },
);
