import type { AdminEvent } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

/** Columns of their own have these; the rest makes `detail`. */
const IN_COLUMNS: ReadonlySet<string> = new Set(['kind', 'sequence', 'atMs', 'address']);

function fieldsOf(event: AdminEvent): [string, unknown][] {
  return Object.entries(event);
}

export function addressOf(event: AdminEvent): string {
  const address = fieldsOf(event).find(([name]) => name === 'address')?.[1];
  return typeof address === 'string' ? address : '';
}

export function detailOf(event: AdminEvent): string {
  return fieldsOf(event)
    .filter(([name, value]) => !IN_COLUMNS.has(name) && value !== '')
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(' ');
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.map(valueText).join(',');
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  return text.includes(' ') ? JSON.stringify(text) : text;
}

const COLUMNS: readonly ComputedColumn<AdminEvent>[] = [
  {
    name: 'sequence',
    type: 'number',
    meaning: '1 for the first event since the start, without gaps',
    value: ({ sequence }) => sequence,
  },
  { name: 'time', meaning: 'UTC, to the millisecond', value: ({ atMs }) => new Date(atMs).toISOString() },
  {
    name: 'event',
    meaning: 'What happened, e.g. `status-changed`, `primary-changed`',
    value: ({ kind }) => kind,
  },
  { name: 'address', meaning: 'The server; empty where the event is about no single one', value: addressOf },
  { name: 'detail', meaning: 'The rest as `name=value`', value: detailOf },
];

export const showEvents: AdminCommand = {
  name: 'SHOW EVENTS',
  syntax: 'SHOW EVENTS [LIMIT n]',
  help: 'What happened to the servers, oldest first; LIMIT n shows the last n',
  pattern: /^SHOW EVENTS(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state, match }) => {
    const events = state.events();
    const limit = match[1] === undefined ? events.length : Number(match[1]);
    return table(limit === 0 ? [] : events.slice(-limit), COLUMNS);
  },
};
