/** One chart: lines over time, or areas on top of each other, with the values at the cursor in its legend. */
import type { SeriesName } from '../../api/api-values.ts';
import { h, setText } from './dom.ts';
import { clock, date } from './format.ts';
import { colorOf } from './theme.ts';
import type { TrafficHistory } from './traffic-history.ts';

export interface ChartLine {
  readonly title: string;
  readonly name: SeriesName;
  /** Name of a colour of the style sheet. */
  readonly color: string;
}

export interface ChartOptions {
  readonly title: string;
  /** From the bottom to the top where they are stacked. */
  readonly lines: readonly ChartLine[];
  readonly isStacked?: boolean;
  readonly format: (value: number | null) => string;
  /** Said while nothing is known. */
  readonly empty: string;
}

const HEIGHT = 168;
const SHORTEST_WINDOW_SECONDS = 60;
const AXIS_FONT = '11px system-ui, sans-serif';

export class TrafficChart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #frame = h('div', { class: 'chart-frame' });
  readonly #values: readonly HTMLElement[];
  readonly #time = h('span', { class: 'muted small chart-time' });
  readonly #empty: HTMLElement;
  #plot: uPlot | null = null;
  #history: TrafficHistory | null = null;
  #windowSeconds = 300;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#values = options.lines.map(() => h('strong', { class: 'number' }));
    this.#empty = h('p', { class: 'empty' }, options.empty);
    const entries = options.lines.map(({ title, color }, index) => {
      const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.setProperty('--swatch', `var(${color})`);
      return h('li', {}, swatch, h('span', {}, title), this.#values[index] ?? null);
    });
    this.element = h(
      'figure',
      { class: 'card chart' },
      h('figcaption', {}, h('h2', {}, options.title), this.#time),
      h('ul', { class: 'legend' }, ...entries),
      this.#frame,
      this.#empty,
    );
    // A chart is as wide as its place.
    new ResizeObserver(() => this.#resize()).observe(this.#frame);
  }

  update(history: TrafficHistory, windowSeconds: number): void {
    this.#history = history;
    this.#windowSeconds = windowSeconds;
    const isEmpty = this.#options.lines.every(({ name }) =>
      history.column(name).every((value) => value === null),
    );
    this.#empty.hidden = !isEmpty;
    this.#frame.hidden = isEmpty;
    this.#legend(null);
    if (isEmpty) return;
    this.#plot ??= this.#make();
    const end = history.times.at(-1) ?? 0;
    this.#plot.setData(this.#data(), false);
    // No more than there is, once that is a minute.
    const first = Math.min(history.times[0] ?? end, end - SHORTEST_WINDOW_SECONDS);
    this.#plot.setScale('x', { min: Math.max(first, end - windowSeconds), max: end });
  }

  /** The colours are others. */
  repaint(): void {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#history !== null) this.update(this.#history, this.#windowSeconds);
  }

  /** The library paints the first line first: the highest area must not cover the others. */
  #data(): uPlot.AlignedData {
    const history = this.#history;
    if (history === null) return [[]];
    const columns = this.#options.lines.map(({ name }) => history.column(name));
    const drawn = this.#options.isStacked === true ? stacked(columns) : columns;
    return [[...history.times], ...drawn.map((column) => [...column])];
  }

  #make(): uPlot {
    const { lines, isStacked = false, format } = this.#options;
    const grid = { stroke: colorOf('--line'), width: 1 };
    const axis = { stroke: colorOf('--muted'), font: AXIS_FONT, grid, ticks: { show: false } };
    const options: uPlot.Options = {
      width: this.#frame.clientWidth || 300,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, sync: { key: 'traffic' }, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, niceTop(max)] } },
      axes: [
        {
          ...axis,
          size: 28,
          space: 80,
          values: (_plot, ticks) => ticks.map(timeTick),
        },
        { ...axis, size: 58, values: (_plot, ticks) => ticks.map((tick) => format(tick)) },
      ],
      series: [
        {},
        ...lines.map(({ color, title }) => {
          const stroke = colorOf(color);
          const fill = isStacked ? { fill: translucent(stroke, 0.28) } : {};
          return { label: title, stroke, width: 1.5, points: { show: false }, ...fill };
        }),
      ],
      bands: isStacked
        ? lines.slice(1).map((_line, index) => ({ series: [index + 2, index + 1] as [number, number] }))
        : [],
      hooks: { setCursor: [(plot) => this.#legend(plot.cursor.idx ?? null)] },
    };
    return new uPlot(options, this.#data(), this.#frame);
  }

  #legend(index: number | null): void {
    const history = this.#history;
    if (history === null) return;
    const time = index === null ? undefined : history.times[index];
    setText(this.#time, time === undefined ? '' : clock(time * 1000));
    for (const [place, { name }] of this.#options.lines.entries()) {
      const value = index === null ? history.recent(name) : (history.column(name)[index] ?? null);
      const element = this.#values[place];
      if (element !== undefined) setText(element, this.#options.format(value));
    }
  }

  #resize(): void {
    const width = this.#frame.clientWidth;
    if (this.#plot !== null && width > 0 && width !== this.#plot.width)
      this.#plot.setSize({ width, height: HEIGHT });
  }
}

/** Each line on top of those before it. */
function stacked(columns: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return columns.map((column) =>
    column.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return value === null ? null : (sums[index] ?? 0);
    }),
  );
}

/** Room above the highest point, and a chart of nothing is not one of noise. */
function niceTop(max: number | null): number {
  return max === null || max <= 0 ? 1 : max * 1.12;
}

function translucent(color: string, part: number): string {
  return `color-mix(in srgb, ${color} ${part * 100}%, transparent)`;
}

/** With seconds only between whole minutes. */
function timeTick(seconds: number): string {
  const text = clock(seconds * 1000);
  if (text === '00:00:00') return date(seconds * 1000).slice(5, 10);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}
