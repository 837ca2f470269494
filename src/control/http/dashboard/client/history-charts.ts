/** Hours and days, where Sluice keeps them. */
import type { SeriesValue } from '../../api/api-values.ts';
import type { Api } from './api.ts';
import { h } from './dom.ts';
import { count, rate } from './format.ts';
import { TrafficChart } from './traffic-chart.ts';
import { TrafficHistory } from './traffic-history.ts';

export const HISTORY_WINDOWS = { day: 86_400, month: 30 * 86_400 } as const;
export type HistoryWindow = keyof typeof HISTORY_WINDOWS;

const MOST_ROWS = 3000;
const REFRESH_MS = 60_000;

export class HistoryCharts {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #charts = [
    new TrafficChart({
      title: 'Statements per second',
      lines: [{ title: 'All statements', name: 'statements', color: '--series-1' }],
      format: rate,
      empty: 'Nothing has been kept yet.',
    }),
    new TrafficChart({
      title: 'Connections',
      lines: [
        { title: 'Clients', name: 'clients', color: '--series-1' },
        { title: 'To servers', name: 'serverConnections', color: '--series-2' },
      ],
      format: count,
      empty: 'Nothing has been kept yet.',
    }),
  ];
  #window: HistoryWindow | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(api: Api) {
    this.#api = api;
    this.element = h('div', { class: 'charts', hidden: true }, ...this.#charts.map(({ element }) => element));
  }

  /** @param window null: none of them. */
  show(window: HistoryWindow | null): void {
    this.#window = window;
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    this.element.hidden = window === null;
    this.tick();
  }

  /** Asks again when there may be something new. */
  tick(): void {
    const window = this.#window;
    const now = performance.now();
    if (window === null || now - this.#askedAtMs < REFRESH_MS) return;
    this.#askedAtMs = now;
    void this.#load(window);
  }

  repaint(): void {
    for (const chart of this.#charts) chart.repaint();
  }

  async #load(window: HistoryWindow): Promise<void> {
    try {
      const series = await this.#api.get<SeriesValue>(`/api/history/${window}`);
      if (this.#window !== window) return;
      const history = new TrafficHistory(MOST_ROWS);
      history.replace(series);
      for (const chart of this.#charts) chart.update(history, HISTORY_WINDOWS[window]);
    } catch {
      this.#askedAtMs = Number.NEGATIVE_INFINITY;
    }
  }
}
