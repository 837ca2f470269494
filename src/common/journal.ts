/**
 * Whether the output goes to systemd's journal, and how a line tells it its priority: by `<n>` in front, as sd-daemon(3) says.
 * The journal takes that off again.
 */
import { fstatSync } from 'node:fs';

/** By the level in pino's lines, which begin with it; syslog(3)'s numbers. */
const PRIORITIES: readonly (readonly [string, string])[] = [
  ['{"level":"info"', '<6>'],
  ['{"level":"warn"', '<4>'],
  ['{"level":"error"', '<3>'],
  ['{"level":"fatal"', '<2>'],
  ['{"level":"debug"', '<7>'],
  ['{"level":"trace"', '<7>'],
];

/** @param stream `$JOURNAL_STREAM`: device and inode of what systemd has connected to the journal */
export function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** A line of pino's, with its priority in front. */
export function withPriority(line: string): string {
  const known = PRIORITIES.find(([start]) => line.startsWith(start));
  return known === undefined ? line : `${known[1]}${line}`;
}
