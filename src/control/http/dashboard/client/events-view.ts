/** What has happened to the servers, newest first. */
import type { EventsValue, EventValue, OverviewValue } from '../../api/api-values.ts';
import { DataTable, type TableColumn } from './data-table.ts';
import { h } from './dom.ts';
import { FilterInput } from './filter-input.ts';
import { age, clock, date } from './format.ts';
import { badge, type Tone } from './state-badge.ts';
import type { View, ViewContext } from './view.ts';

const TONES: Readonly<Record<EventValue['level'], Tone>> = {
  debug: 'idle',
  info: 'idle',
  warn: 'warn',
  error: 'bad',
};

export class EventsView implements View {
  readonly name = 'events';
  readonly title = 'Events';
  readonly element: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #context: ViewContext;
  readonly #filter: FilterInput;
  readonly #table: DataTable<EventValue>;
  #isShown = false;
  #isPaused = false;
  #value: EventsValue | null = null;
  /** The newest one that has been asked for. */
  #last = -1;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#filter = new FilterInput('Filter by event, server or detail', () => this.#draw());
    this.filter = this.#filter.input;
    this.#table = new DataTable<EventValue>({
      caption: 'Events, newest first',
      key: ({ sequence }) => String(sequence),
      sortedBy: '-time',
      empty: () => (this.#filter.isSet ? 'No event fits the filter.' : 'Nothing has happened yet.'),
      columns: COLUMNS,
    });
    this.element = h(
      'section',
      { class: 'view', 'aria-label': this.title },
      h('div', { class: 'toolbar' }, this.#filter.element),
      this.#table.element,
    );
  }

  show(): void {
    this.#isShown = true;
    void this.#ask();
  }

  hide(): void {
    this.#isShown = false;
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  refresh(): void {
    void this.#ask();
  }

  /** Events are asked for only when there is a new one. */
  update({ lastEvent }: OverviewValue): void {
    if (!this.#isShown || this.#isPaused) return;
    // They grow older.
    if (lastEvent === this.#last) {
      this.#draw();
      return;
    }
    this.#last = lastEvent;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      this.#value = await this.#context.api.get<EventsValue>('/api/events');
      this.#draw();
    } catch {
      // The banner says so already, and the next overview asks again.
      this.#last = -1;
    }
  }

  #draw(): void {
    const events = this.#value?.events ?? [];
    this.#table.update(
      events.filter(({ kind, address, detail }) => this.#filter.accepts(kind, address, detail)),
    );
  }
}

const COLUMNS: readonly TableColumn<EventValue>[] = [
  {
    key: 'time',
    title: 'Time',
    order: ({ sequence }) => sequence,
    text: ({ timeMs }) => `${date(timeMs)} ${age(Date.now() - timeMs)}`,
    render: ({ timeMs }) => [
      h('time', { datetime: new Date(timeMs).toISOString(), title: date(timeMs) }, clock(timeMs)),
      h('span', { class: 'muted small block' }, `${age(Date.now() - timeMs)} ago`),
    ],
  },
  {
    key: 'event',
    title: 'Event',
    order: ({ kind }) => kind,
    text: ({ kind }) => kind,
    render: ({ kind, level }) => badge(kind.replaceAll('-', ' '), TONES[level]),
  },
  { key: 'server', title: 'Server', order: ({ address }) => address, text: ({ address }) => address },
  {
    key: 'detail',
    title: 'Detail',
    text: ({ detail }) => detail,
    render: ({ detail }) => h('code', {}, detail),
  },
];
