/** The first page: figures, traffic, servers, workers. */
import type { OverviewValue, SeriesValue, WorkerValue } from '../../api/api-values.ts';
import { h, setAttribute } from './dom.ts';
import { FigureTiles } from './figure-tiles.ts';
import { count, exact, millis, percent, plural, rate } from './format.ts';
import { HISTORY_WINDOWS, HistoryCharts, type HistoryWindow } from './history-charts.ts';
import { ServerCards } from './server-cards.ts';
import { badge } from './state-badge.ts';
import { onThemeChange } from './theme.ts';
import { TrafficChart } from './traffic-chart.ts';
import { TrafficHistory } from './traffic-history.ts';
import type { View, ViewContext } from './view.ts';

type Window = number | HistoryWindow;

/** Of the last minutes this page gets every second; hours and days Sluice must have kept. */
const WINDOWS = [
  [60, '1 min'],
  [300, '5 min'],
  [900, '15 min'],
  ['day', '24 h'],
  ['month', '30 d'],
] as const;
const DEFAULT_WINDOW = 300;

function charts(): TrafficChart[] {
  return [
    new TrafficChart({
      title: 'Statements per second',
      isStacked: true,
      lines: [
        { title: 'Replica reads', name: 'replicaReads', color: '--series-1' },
        { title: 'Primary reads', name: 'primaryReads', color: '--series-2' },
        { title: 'Writes', name: 'writes', color: '--series-3' },
      ],
      format: rate,
      empty: 'No statement has come yet.',
    }),
    new TrafficChart({
      title: 'Latency',
      lines: [
        { title: 'median', name: 'p50', color: '--series-1' },
        { title: 'p95', name: 'p95', color: '--series-2' },
        { title: 'p99', name: 'p99', color: '--series-3' },
      ],
      format: millis,
      empty: 'No statement has ended yet.',
    }),
    new TrafficChart({
      title: 'Connections',
      lines: [
        { title: 'Clients', name: 'clients', color: '--series-1' },
        { title: 'To servers', name: 'serverConnections', color: '--series-2' },
        { title: 'of these in use', name: 'serverConnectionsInUse', color: '--series-3' },
      ],
      format: count,
      empty: 'Nobody has connected yet.',
    }),
  ];
}

export class OverviewView implements View {
  readonly name = 'overview';
  readonly title = 'Overview';
  readonly element: HTMLElement;
  readonly filter = null;
  readonly #context: ViewContext;
  readonly #history = new TrafficHistory();
  readonly #tiles = new FigureTiles();
  readonly #charts = charts();
  readonly #hitRate = new TrafficChart({
    title: 'Cache hit rate',
    lines: [{ title: 'Hits', name: 'cacheHitRate', color: '--series-1' }],
    format: percent,
    empty: 'Nothing was looked up yet.',
  });
  readonly #servers: ServerCards;
  readonly #workers = h('ul', { class: 'workers' });
  readonly #windows = new Map<Window, HTMLButtonElement>();
  readonly #live: HTMLElement;
  readonly #past: HistoryCharts;
  #window: Window = DEFAULT_WINDOW;
  #overview: OverviewValue | null = null;
  #isShown = false;
  #isLoading = false;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#servers = new ServerCards(context);
    const windows = WINDOWS.map(([window, title]) => this.#windowButton(window, title));
    this.#past = new HistoryCharts(context.api);
    this.#live = h(
      'div',
      { class: 'charts' },
      ...this.#charts.map(({ element }) => element),
      this.#hitRate.element,
    );
    this.#hitRate.element.hidden = true;
    this.element = h(
      'section',
      { class: 'view', 'aria-label': this.title },
      this.#tiles.element,
      h(
        'div',
        { class: 'section-title' },
        h('h2', {}, 'Traffic'),
        h('div', { class: 'choices', role: 'group', 'aria-label': 'Time shown' }, ...windows),
      ),
      this.#live,
      this.#past.element,
      this.#servers.element,
      h(
        'section',
        { 'aria-labelledby': 'workers-title' },
        h('h2', { id: 'workers-title' }, 'Workers'),
        this.#workers,
      ),
    );
    onThemeChange(() => {
      for (const chart of [...this.#charts, this.#hitRate]) chart.repaint();
      this.#past.repaint();
    });
  }

  show(): void {
    this.#isShown = true;
    this.#draw();
  }

  hide(): void {
    this.#isShown = false;
  }

  pause(_isPaused: boolean): void {}

  refresh(): void {}

  update(overview: OverviewValue): void {
    this.#overview = overview;
    if (this.#history.lacks(overview.live)) void this.#load();
    else this.#history.add(overview.live);
    this.#draw();
  }

  /** At first, and after the page has been hidden for a while. */
  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      this.#history.replace(await this.#context.api.get<SeriesValue>('/api/series'));
      this.#draw();
    } catch {
      // The next overview asks again.
    }
    this.#isLoading = false;
  }

  #draw(): void {
    const overview = this.#overview;
    if (overview === null || !this.#isShown) return;
    this.#tiles.update(this.#history, overview);
    this.#drawCharts(overview);
    this.#servers.update(overview);
    this.#workers.replaceChildren(...overview.workers.map((worker) => workerItem(worker, overview)));
  }

  #drawCharts({ hasHistory }: OverviewValue): void {
    for (const window of Object.keys(HISTORY_WINDOWS) as HistoryWindow[]) {
      const button = this.#windows.get(window);
      if (button !== undefined) button.hidden = !hasHistory;
    }
    const window = this.#window;
    if (typeof window !== 'number') {
      this.#past.tick();
      return;
    }
    for (const chart of this.#charts) chart.update(this.#history, window);
    const hasCache = this.#history.column('cacheHitRate').some((value) => value !== null);
    this.#hitRate.element.hidden = !hasCache;
    if (hasCache) this.#hitRate.update(this.#history, window);
  }

  #windowButton(window: Window, title: string): HTMLElement {
    const choose = (): void => {
      this.#window = window;
      for (const [one, button] of this.#windows) setAttribute(button, 'aria-pressed', String(one === window));
      this.#live.hidden = typeof window !== 'number';
      this.#past.show(typeof window === 'number' ? null : window);
      this.#draw();
    };
    const button = h('button', { type: 'button', class: 'choice', on: { click: choose } }, title);
    button.hidden = typeof window !== 'number';
    setAttribute(button, 'aria-pressed', String(window === DEFAULT_WINDOW));
    this.#windows.set(window, button);
    return button;
  }
}

function workerItem(
  { index, running, restarts, sessions, version }: WorkerValue,
  { snapshotVersion }: OverviewValue,
): HTMLElement {
  const isBehind = running && version !== snapshotVersion;
  const notes = [
    plural(sessions, 'client'),
    restarts > 0 ? plural(restarts, 'restart') : '',
    isBehind ? `has version ${exact(version)} of ${exact(snapshotVersion)}` : `version ${exact(version)}`,
  ];
  return h(
    'li',
    { class: 'card worker' },
    h('strong', {}, `Worker ${index}`),
    badge(running ? 'running' : 'not running', running ? 'good' : 'bad'),
    h('span', { class: 'muted small' }, notes.filter((text) => text !== '').join(' · ')),
  );
}
