/**
 * The column `ts` of a heartbeat table, `2026-11-21T09:30:00.123456`, as pt-heartbeat writes it with `--utc`; without, it
 * is local time of whoever writes it. Pure.
 * https://docs.percona.com/percona-toolkit/pt-heartbeat.html
 */

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?$/;

/** Writers are told apart by the last three digits: what they say in whole milliseconds leaves these free. */
export const WRITERS = 1000;

/** @param writer 0 to 999 */
export function formatTimestamp(atMs: number, writer: number): string {
  const text = new Date(Math.floor(atMs)).toISOString().slice(0, -1);
  return `${text}${String(writer).padStart(3, '0')}`;
}

/** Milliseconds since 1970, as if it were UTC; null for what is no timestamp. */
export function parseTimestamp(text: string): number | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const seconds = Date.parse(`${match[1]}T${match[2]}Z`);
  if (Number.isNaN(seconds)) return null;
  return seconds + Number((match[3] ?? '').padEnd(6, '0')) / 1000;
}

/** Of a timestamp of `formatTimestamp`; of another one any number. */
export function writerOf(text: string): number {
  return Number(text.slice(-3)) || 0;
}
