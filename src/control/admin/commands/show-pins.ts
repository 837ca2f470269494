import { InspectSubject, type PinRecord } from '../../../common/inspection.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { SESSION_COLUMNS, type SessionRow } from './show-sessions.ts';
import { ageMs, askWorkers, cut, DEFAULT_ROWS, readLimit, utc } from './worker-answers.ts';

interface PinRow extends SessionRow {
  readonly pin: PinRecord;
}

function ofSession(...names: string[]): ComputedColumn<PinRow>[] {
  return SESSION_COLUMNS.filter(({ name }) => names.includes(name));
}

const COLUMNS: readonly ComputedColumn<PinRow>[] = [
  ...ofSession('session_id', 'user', 'client'),
  {
    name: 'pin',
    meaning: 'Why the session is bound to its server connection',
    value: ({ pin }) => pin.reason,
  },
  { name: 'since', meaning: 'Since when, UTC', value: ({ pin }) => utc(pin.sinceMs) },
  {
    name: 'pinned_ms',
    type: 'number',
    meaning: 'How long by now, in milliseconds',
    value: ({ pin, nowMs }) => ageMs(pin.sinceMs, nowMs),
  },
  ...ofSession('server', 'server_thread', 'state', 'state_ms', 'digest_text', 'worker'),
];

export const showPins: AdminCommand = {
  name: 'SHOW PINS',
  syntax: 'SHOW PINS [LIMIT n]',
  help: 'Every reason why a session is bound to its server connection, the oldest first; 10000 unless LIMIT says',
  pattern: /^SHOW PINS(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state, match }) => {
    const limit = readLimit(match[1], DEFAULT_ROWS);
    const subject = InspectSubject.pins;
    const answer = await askWorkers(state, { subject, connectionId: null, limit: limit + 1 });
    const nowMs = Date.now();
    const all = answer.sessions
      .flatMap((session) => session.pins.map((pin) => ({ ...session, nowMs, pin })))
      .sort((a, b) => a.pin.sinceMs - b.pin.sinceMs || a.connectionId - b.connectionId);
    const { kept, warnings } = cut(all, limit, 'pins');
    return { ...table(kept, COLUMNS), warnings: [...answer.warnings, ...warnings] };
  },
};
