/** Clients' sessions: what each does, what pins it, and the way to end one. */
import type { SessionsValue, SessionValue } from '../../api/api-values.ts';
import type { Api } from './api.ts';
import { DataTable, type TableColumn } from './data-table.ts';
import { ask } from './dialogs.ts';
import { h, setAttribute, setText } from './dom.ts';
import { FilterInput } from './filter-input.ts';
import { age, count, exact } from './format.ts';
import { PolledView } from './polled-view.ts';
import { showSession } from './session-dialog.ts';
import { badge, route } from './state-badge.ts';
import type { ViewContext } from './view.ts';

const INTERVAL_MS = 2000;

const KINDS = {
  all: { title: 'All', fits: () => true },
  busy: { title: 'Busy', fits: ({ state }) => state !== 'idle' },
  transaction: { title: 'In transaction', fits: ({ inTransaction }) => inTransaction },
  pinned: { title: 'Pinned', fits: ({ pins }) => pins.length > 0 },
} as const satisfies Readonly<Record<string, { title: string; fits: (session: SessionValue) => boolean }>>;
type Kind = keyof typeof KINDS;

interface Row extends SessionValue {
  readonly nowMs: number;
}

export class SessionsView extends PolledView<SessionsValue> {
  readonly name = 'sessions';
  readonly title = 'Sessions';
  readonly element: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #filter: FilterInput;
  readonly #kinds = new Map<Kind, HTMLButtonElement>();
  readonly #pins = h('ul', { class: 'pin-list', 'aria-label': 'Pins by reason' });
  readonly #note = h('p', { class: 'muted' });
  readonly #table: DataTable<Row>;
  #kind: Kind = 'all';
  #listed = 0;

  constructor(context: ViewContext) {
    super(context, '/api/sessions', INTERVAL_MS);
    this.#filter = new FilterInput('Filter by id, user, client, schema, server, pin or statement', () =>
      this.redraw(),
    );
    this.filter = this.#filter.input;
    this.#table = new DataTable<Row>({
      caption: 'Sessions of clients',
      columns: this.#columns(),
      key: ({ id }) => String(id),
      sortedBy: 'id',
      empty: () => this.#emptyText(),
    });
    const kinds = (Object.keys(KINDS) as Kind[]).map((kind) => this.#kindButton(kind));
    this.element = h(
      'section',
      { class: 'view', 'aria-label': this.title },
      h(
        'div',
        { class: 'toolbar' },
        h('div', { class: 'choices', role: 'group', 'aria-label': 'Which sessions' }, ...kinds),
        this.#filter.element,
      ),
      this.#pins,
      this.#note,
      this.#table.element,
    );
  }

  #kindButton(kind: Kind): HTMLElement {
    const choose = (): void => {
      this.#kind = kind;
      this.redraw();
    };
    const button = h('button', { type: 'button', class: 'choice', on: { click: choose } }, KINDS[kind].title);
    this.#kinds.set(kind, button);
    return button;
  }

  protected draw(value: SessionsValue): void {
    for (const [kind, button] of this.#kinds) {
      const fitting = value.sessions.filter(KINDS[kind].fits).length;
      setText(button, `${KINDS[kind].title} ${exact(fitting)}`);
      setAttribute(button, 'aria-pressed', kind === this.#kind ? 'true' : 'false');
    }
    this.#drawPins(value);
    const listed = value.sessions.length;
    this.#listed = listed;
    const more = value.total > listed ? `${exact(listed)} of ${exact(value.total)} clients are listed. ` : '';
    const late = value.missing.length > 0 ? `Worker ${value.missing.join(', ')} has not answered.` : '';
    setText(this.#note, `${more}${late}`);
    this.#note.hidden = more === '' && late === '';
    const rows = value.sessions
      .filter(KINDS[this.#kind].fits)
      .filter((one) =>
        this.#filter.accepts(
          String(one.id),
          one.username,
          one.client,
          one.schema ?? '',
          one.state,
          one.server ?? '',
          one.digestText,
          ...one.pins.map(({ reason }) => reason),
        ),
      )
      .map((one) => ({ ...one, nowMs: value.timeMs }));
    this.#table.update(rows);
  }

  #drawPins({ pins }: SessionsValue): void {
    const items = pins.map(({ reason, now, started }) =>
      h(
        'li',
        { class: now > 0 ? 'active' : null, title: `${exact(started)} since the start` },
        h('span', { class: 'mono' }, reason),
        h('strong', {}, count(now)),
        h('span', { class: 'muted small' }, `of ${count(started)}`),
      ),
    );
    this.#pins.replaceChildren(...items);
    this.#pins.hidden = items.length === 0;
  }

  #emptyText(): string {
    if (this.#listed === 0) return 'No client is connected.';
    return this.#filter.isSet ? 'No session fits the filter.' : 'No session is like that now.';
  }

  #columns(): TableColumn<Row>[] {
    const columns = [idColumn(this.context.api), ...COLUMNS];
    return this.context.isAdmin ? [...columns, this.#actions()] : columns;
  }

  #actions(): TableColumn<Row> {
    return {
      key: 'actions',
      title: 'Actions',
      text: ({ state }) => (state === 'idle' ? 'idle' : 'busy'),
      render: (row) => [
        row.state === 'idle'
          ? null
          : h(
              'button',
              { type: 'button', class: 'button small', on: { click: () => this.#kill(row, true) } },
              'Kill query',
            ),
        h(
          'button',
          {
            type: 'button',
            class: 'button small danger',
            'aria-label': `Kill session ${row.id}`,
            on: { click: () => this.#kill(row, false) },
          },
          'Kill',
        ),
      ],
    };
  }

  #kill({ id, username, client, inTransaction }: Row, queryOnly: boolean): void {
    const who = h(
      'p',
      {},
      `Session ${id} of `,
      h('strong', {}, username),
      ` from ${client === '' ? 'the Unix socket' : client}.`,
    );
    const effect = queryOnly
      ? 'The statement that it runs is interrupted; the client gets an error and stays connected.'
      : 'The client loses its connection, and what it runs is interrupted.';
    ask({
      title: queryOnly ? 'Kill the statement?' : 'Kill the session?',
      text: [
        who,
        h('p', {}, effect),
        inTransaction && !queryOnly ? h('p', {}, 'Its transaction is rolled back.') : null,
      ],
      action: queryOnly ? 'Kill statement' : 'Kill session',
      isDangerous: true,
      run: async () => {
        const { message } = await this.context.api.kill(id, queryOnly);
        this.context.refresh();
        return message;
      },
    });
  }
}

function bindings({ inTransaction, transactionSinceMs, pins, nowMs }: Row): string[] {
  const lines = pins.map(({ reason, sinceMs }) => `${reason} · ${age(nowMs - sinceMs)}`);
  if (inTransaction)
    lines.unshift(`transaction${transactionSinceMs === null ? '' : ` · ${age(nowMs - transactionSinceMs)}`}`);
  return lines.length === 0 ? ['–'] : lines;
}

function idColumn(api: Api): TableColumn<Row> {
  return {
    key: 'id',
    title: 'Session',
    isNumber: true,
    order: ({ id }) => id,
    text: ({ id }) => String(id),
    render: ({ id }) =>
      h(
        'button',
        {
          type: 'button',
          class: 'link',
          title: 'Its last statements',
          on: { click: () => void showSession(api, id) },
        },
        String(id),
      ),
  };
}

const COLUMNS: readonly TableColumn<Row>[] = [
  {
    key: 'user',
    title: 'User',
    order: ({ username }) => username,
    text: ({ username, client }) => `${username} ${client}`,
    render: ({ username, client }) => [
      h('span', {}, username),
      h('span', { class: 'muted small block' }, client === '' ? 'Unix socket' : client),
    ],
  },
  {
    key: 'schema',
    title: 'Schema',
    isMinor: true,
    order: ({ schema }) => schema ?? '',
    text: ({ schema }) => schema ?? '–',
  },
  {
    key: 'state',
    title: 'State',
    order: ({ state }) => state,
    text: ({ state, stateSinceMs, nowMs }) => `${state} ${age(nowMs - stateSinceMs)}`,
    render: ({ state, stateSinceMs, nowMs }) => [
      badge(state, state === 'idle' ? 'idle' : 'good'),
      h('span', { class: 'muted small block' }, age(nowMs - stateSinceMs)),
    ],
  },
  {
    key: 'bound',
    title: 'Transaction, pins',
    order: (row) => -(row.pins.length + (row.inTransaction ? 1 : 0)),
    text: (row) => bindings(row).join(),
    render: (row) => bindings(row).map((text) => h('span', { class: 'block small' }, text)),
  },
  {
    key: 'server',
    title: 'Server',
    hint: 'Of the connection that it has for itself now',
    isMinor: true,
    order: ({ server }) => server ?? '',
    text: ({ server }) => server ?? '–',
  },
  {
    key: 'statement',
    title: 'Statement that runs, or ran last',
    text: ({ digestText, target, reason }) => `${digestText} ${target} ${reason}`,
    render: ({ digestText, target, reason }) => [
      h('code', { class: 'clamped' }, digestText === '' ? '–' : digestText),
      digestText === '' ? null : route(target, reason),
    ],
  },
];
