/** A restart in which another process takes over the sockets. */
import { milliseconds, section } from './schema-parts.ts';

export const handoverSection = section(
  'A restart that drops nobody (SIGUSR2, `sluice reload --binary`, `PROXYSQL RESTART`): a new process gets the listening sockets, this one ends its clients when they are idle.',
  {
    startTimeoutMs: milliseconds(
      1,
      30_000,
      'A new process that is not ready by then is ended, and this one goes on as before.',
    ),
    idleMs: milliseconds(
      0,
      1000,
      'A client that has been idle for this long, outside of transactions and not pinned, gets error 1053 and connects again, to the new process. The time becomes shorter and shorter until `handover.drainMs` is over.',
    ),
    drainMs: milliseconds(
      0,
      300_000,
      'Who is left by then gets error 1053 at the next boundary; transactions have `limits.shutdownGraceMs` more.',
    ),
  },
);
