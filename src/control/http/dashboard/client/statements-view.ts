/** The statements that take the most time, each with its route and a way to its EXPLAIN ROUTE. */
import type { StatementsValue, StatementValue } from '../../api/api-values.ts';
import { DataTable, type TableColumn } from './data-table.ts';
import { h, setPart, setText } from './dom.ts';
import { ExplainDialog } from './explain-dialog.ts';
import { FilterInput } from './filter-input.ts';
import { age, count, exact, micros, percent } from './format.ts';
import { PolledView } from './polled-view.ts';
import { route } from './state-badge.ts';
import type { ViewContext } from './view.ts';

const INTERVAL_MS = 4000;

interface Row extends StatementValue {
  /** Of the time of all that is shown. */
  readonly part: number;
  readonly ageMs: number;
}

export class StatementsView extends PolledView<StatementsValue> {
  readonly name = 'statements';
  readonly title = 'Statements';
  readonly element: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #explain: ExplainDialog;
  readonly #filter: FilterInput;
  readonly #scope = h('p', { class: 'muted' });
  readonly #table: DataTable<Row>;

  constructor(context: ViewContext) {
    super(context, '/api/statements', INTERVAL_MS);
    this.#explain = new ExplainDialog(context.api);
    this.#filter = new FilterInput('Filter by text, user, schema, route or reason', () => this.redraw());
    this.filter = this.#filter.input;
    this.#table = new DataTable<Row>({
      caption: 'Statements by the time that they have taken',
      columns: [statementColumn((row) => this.#explain.open(row)), ...COLUMNS],
      key: ({ digest, hostgroup, schema, username, client }) =>
        JSON.stringify([digest, hostgroup, schema, username, client]),
      sortedBy: '-time',
      empty: () => this.#emptyText(),
    });
    const explain = (): void => this.#explain.open(null);
    const button = h(
      'button',
      { type: 'button', class: 'button', on: { click: explain } },
      'Explain a statement…',
    );
    this.element = h(
      'section',
      { class: 'view', 'aria-label': this.title },
      h('div', { class: 'toolbar' }, this.#filter.element, button),
      this.#scope,
      this.#table.element,
    );
  }

  protected draw(value: StatementsValue): void {
    const { timeMs, known, totalMicros, statements, missing } = value;
    const rows = statements.map((statement) => ({
      ...statement,
      part: totalMicros === 0 ? 0 : statement.totalMicros / totalMicros,
      ageMs: Math.max(0, timeMs - statement.lastSeenMs),
    }));
    const shown = rows.filter(({ text, username, schema, target, reason }) =>
      this.#filter.accepts(text, username, schema, target, reason),
    );
    const listed =
      known > statements.length
        ? `The ${exact(statements.length)} that take the most time, of ${exact(known)} digests.`
        : '';
    const late = missing.length === 0 ? '' : `Worker ${missing.join(', ')} has not answered.`;
    setText(this.#scope, `${listed} ${late}`.trim());
    this.#scope.hidden = listed === '' && late === '';
    this.#table.update(shown);
  }

  #emptyText(): string {
    if (this.#filter.isSet) return 'No statement fits the filter.';
    return 'No statement has come yet. Point an application at the client port.';
  }
}

function statementColumn(explain: (row: Row) => void): TableColumn<Row> {
  return {
    key: 'statement',
    title: 'Statement',
    text: ({ text }) => text,
    render: (row) =>
      h(
        'button',
        {
          type: 'button',
          class: 'statement',
          title: 'EXPLAIN ROUTE',
          on: { click: () => explain(row) },
        },
        h('code', {}, row.text),
      ),
  };
}

const COLUMNS: readonly TableColumn<Row>[] = [
  {
    key: 'route',
    title: 'Route',
    hint: 'Where the last one went, and why',
    order: ({ target, reason }) => `${target} ${reason}`,
    text: ({ target, reason }) => `${target} ${reason}`,
    render: ({ target, reason }) => route(target, reason),
  },
  {
    key: 'time',
    title: 'Time',
    hint: 'Its share of the time of all statements',
    isNumber: true,
    order: ({ totalMicros }) => totalMicros,
    text: ({ part }) => percent(part),
    render: ({ part }) => {
      const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
      setPart(bar, part);
      return [percent(part), bar];
    },
  },
  {
    key: 'count',
    title: 'Count',
    isNumber: true,
    order: (row) => row.count,
    text: (row) => count(row.count),
  },
  {
    key: 'mean',
    title: 'Mean',
    isNumber: true,
    order: (row) => row.totalMicros / row.count,
    text: (row) => micros(row.totalMicros / row.count),
  },
  {
    key: 'p95',
    title: 'p95',
    hint: '95 % took no longer',
    isNumber: true,
    order: ({ p95Micros }) => p95Micros,
    text: ({ p95Micros }) => micros(p95Micros),
  },
  {
    key: 'longest',
    title: 'Longest',
    isNumber: true,
    isMinor: true,
    order: ({ maxMicros }) => maxMicros,
    text: ({ maxMicros }) => micros(maxMicros),
  },
  {
    key: 'rows',
    title: 'Rows',
    hint: 'Sent to clients, or changed, by all of them together',
    isNumber: true,
    isMinor: true,
    order: ({ rows }) => rows,
    text: ({ rows }) => count(rows),
  },
  {
    key: 'errors',
    title: 'Errors',
    isNumber: true,
    order: ({ errors }) => errors,
    text: ({ errors }) => count(errors),
    render: ({ errors }) => h('span', { class: errors > 0 ? 'bad-text' : 'muted' }, count(errors)),
  },
  {
    key: 'seen',
    title: 'Last seen',
    isNumber: true,
    isMinor: true,
    order: ({ ageMs }) => ageMs,
    text: ({ ageMs }) => (ageMs < 1500 ? 'now' : `${age(ageMs)} ago`),
  },
];
