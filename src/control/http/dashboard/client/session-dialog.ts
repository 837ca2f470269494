/** One session: since when it is what, and its last statements, each with its route. */
import type { LastStatementValue, SessionDetailValue } from '../../api/api-values.ts';
import type { Api } from './api.ts';
import { openDialog } from './dialogs.ts';
import { type Child, h } from './dom.ts';
import { age, clock, exact, micros, plural } from './format.ts';
import { route } from './state-badge.ts';

export async function showSession(api: Api, id: number): Promise<void> {
  const close = h('button', { type: 'button', class: 'button', autofocus: true }, 'Close');
  const body = h(
    'div',
    { class: 'session-detail', 'aria-live': 'polite' },
    h('p', { class: 'muted' }, 'Asking the workers…'),
  );
  const dialog = openDialog(`Session ${id}`, [body], [close], 'wide');
  close.addEventListener('click', () => dialog.close());
  try {
    const detail = await api.get<SessionDetailValue>(`/api/session?id=${id}`);
    body.replaceChildren(...contentOf(detail).filter((child) => child !== null));
  } catch (error) {
    body.replaceChildren(h('p', { class: 'dialog-problem', role: 'alert' }, (error as Error).message));
  }
}

function contentOf({ session, statements, timeMs, isOff }: SessionDetailValue): Child[] {
  const nothing = isOff
    ? 'Statements are not remembered: limits.routeRingEntries is 0.'
    : 'None of its statements is remembered any more.';
  return [
    session === null ? h('p', { class: 'bad-text' }, 'It has ended.') : factsOf(session, timeMs),
    h('h3', {}, 'Last statements'),
    statements.length === 0
      ? h('p', { class: 'muted' }, nothing)
      : h('ol', { class: 'last-statements' }, ...statements.map(statementItem)),
  ];
}

function factsOf(session: NonNullable<SessionDetailValue['session']>, timeMs: number): HTMLElement {
  const facts: [string, string][] = [
    ['User', session.username],
    ['Client', session.client === '' ? 'Unix socket' : session.client],
    ['Schema', session.schema ?? '–'],
    ['Connected', age(timeMs - session.connectedSinceMs)],
    ['State', `${session.state}, ${age(timeMs - session.stateSinceMs)}`],
    ['Statements', exact(session.statements)],
    ['Worker', String(session.worker)],
    ['Its connection', session.server ?? 'none'],
  ];
  if (session.transactionSinceMs !== null)
    facts.push(['Transaction', age(timeMs - session.transactionSinceMs)]);
  for (const { reason, sinceMs } of session.pins) facts.push([`Pin: ${reason}`, age(timeMs - sinceMs)]);
  return h(
    'dl',
    { class: 'facts' },
    ...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function statementItem(statement: LastStatementValue): HTMLElement {
  const { timeMs, text, command, target, reason, detail, server, durationMicros, waitMicros, rows, errno } =
    statement;
  const notes = [
    clock(timeMs),
    micros(durationMicros),
    waitMicros > 0 ? `waited ${micros(waitMicros)}` : '',
    rows === null ? '' : plural(rows, 'row'),
    server ?? '',
  ].filter((note) => note !== '');
  return h(
    'li',
    {},
    h('code', {}, text === '' ? command : text),
    h(
      'p',
      { class: 'last-notes' },
      route(target, detail === '' ? reason : `${reason}: ${detail}`),
      h('span', { class: 'muted small' }, notes.join(' · ')),
      errno === 0 ? null : h('span', { class: 'bad-text small' }, `error ${errno}`),
    ),
  );
}
