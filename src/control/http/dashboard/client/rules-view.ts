/** The query rules in force, how often each has matched, and which configurations have been in force. */
import type { RulesValue, RuleValue, VersionValue } from '../../api/api-values.ts';
import { DataTable, type TableColumn } from './data-table.ts';
import { ask } from './dialogs.ts';
import { h, setText } from './dom.ts';
import { FilterInput } from './filter-input.ts';
import { age, count, date, exact } from './format.ts';
import { PolledView } from './polled-view.ts';
import { badge } from './state-badge.ts';
import type { ViewContext } from './view.ts';

const INTERVAL_MS = 3000;

export class RulesView extends PolledView<RulesValue> {
  readonly name = 'rules';
  readonly title = 'Rules';
  readonly element: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #filter: FilterInput;
  readonly #note = h('p', { class: 'muted' });
  readonly #rules: DataTable<RuleValue>;
  readonly #versions: DataTable<VersionValue>;

  constructor(context: ViewContext) {
    super(context, '/api/rules', INTERVAL_MS);
    this.#filter = new FilterInput('Filter by id, condition, effect or comment', () => this.redraw());
    this.filter = this.#filter.input;
    this.#rules = new DataTable<RuleValue>({
      caption: 'Query rules in force',
      columns: RULE_COLUMNS,
      key: ({ id }) => String(id),
      sortedBy: 'id',
      empty: () =>
        this.#filter.isSet
          ? 'No rule fits the filter.'
          : 'There are no query rules: every statement goes where its class says.',
    });
    this.#versions = new DataTable<VersionValue>({
      caption: 'Configurations that have been in force, the newest first',
      columns: this.#versionColumns(),
      key: ({ number }) => String(number),
      sortedBy: '-number',
      empty: () => 'No configuration is in force yet.',
    });
    this.element = h(
      'section',
      { class: 'view', 'aria-label': this.title },
      h('div', { class: 'toolbar' }, this.#filter.element),
      this.#note,
      this.#rules.element,
      h('h2', {}, 'Versions of the configuration'),
      this.#versions.element,
    );
  }

  protected draw(value: RulesValue): void {
    const { rules, total, fastRouting, firewall, versions } = value;
    const notes = [
      total > rules.length ? `The first ${exact(rules.length)} of ${exact(total)} rules.` : '',
      fastRouting > 0 ? `${exact(fastRouting)} rows of fast routing.` : '',
      firewall === null ? '' : `The firewall is on, for ${exact(firewall)} users.`,
    ].filter((text) => text !== '');
    setText(this.#note, notes.join(' '));
    this.#note.hidden = notes.length === 0;
    this.#rules.update(
      rules.filter(({ id, matches, effects, comment }) =>
        this.#filter.accepts(String(id), ...matches, ...effects, comment),
      ),
    );
    this.#versions.update(versions);
  }

  #versionColumns(): TableColumn<VersionValue>[] {
    const columns: TableColumn<VersionValue>[] = [
      {
        key: 'number',
        title: 'Version',
        isNumber: true,
        order: (row) => row.number,
        text: (row) => String(row.number),
      },
      {
        key: 'time',
        title: 'In force since',
        order: ({ timeMs }) => timeMs,
        text: ({ timeMs }) => `${date(timeMs)} ${age(Date.now() - timeMs)}`,
        render: ({ timeMs }) => [
          h('time', { datetime: new Date(timeMs).toISOString() }, date(timeMs)),
          h('span', { class: 'muted small block' }, `${age(Date.now() - timeMs)} ago`),
        ],
      },
      { key: 'by', title: 'By', order: ({ by }) => by, text: ({ by }) => by },
      {
        key: 'what',
        title: 'What',
        text: ({ what, source, number }) => `${what} ${source === number ? '' : source}`,
        render: ({ what, source, number }) => [
          h('code', {}, what === '' ? '–' : what),
          source === number ? null : h('span', { class: 'muted small block' }, `as version ${source}`),
        ],
      },
    ];
    return this.context.isAdmin ? [...columns, this.#rollback()] : columns;
  }

  #rollback(): TableColumn<VersionValue> {
    return {
      key: 'actions',
      title: 'Actions',
      text: ({ isCurrent }) => String(isCurrent),
      render: ({ number, isCurrent }) =>
        isCurrent
          ? badge('in force', 'good')
          : h(
              'button',
              {
                type: 'button',
                class: 'button small',
                'aria-label': `Go back to version ${number}`,
                on: { click: () => this.#goBack(number) },
              },
              'Go back…',
            ),
    };
  }

  #goBack(version: number): void {
    ask({
      title: `Go back to version ${version}?`,
      text: [
        h(
          'p',
          {},
          'Everything that it held comes into force again, in all workers at once: servers, users, rules and settings.',
        ),
        h(
          'p',
          { class: 'muted' },
          'The tables that operators edit (MEMORY) and what is saved stay as they are.',
        ),
      ],
      action: 'Go back',
      isDangerous: true,
      run: async () => {
        const { message } = await this.context.api.rollback(version);
        this.context.refresh();
        return message;
      },
    });
  }
}

const RULE_COLUMNS: readonly TableColumn<RuleValue>[] = [
  { key: 'id', title: 'Rule', isNumber: true, order: ({ id }) => id, text: ({ id }) => String(id) },
  {
    key: 'hits',
    title: 'Hits',
    hint: 'Since the rules are what they are',
    isNumber: true,
    order: ({ hits }) => hits ?? -1,
    text: ({ hits, active }) => (active ? count(hits) : 'inactive'),
    render: ({ hits, active }) => (active ? count(hits) : badge('inactive', 'idle')),
  },
  {
    key: 'matches',
    title: 'Where',
    text: ({ matches }) => matches.join('\n'),
    render: ({ matches }) =>
      matches.length === 0
        ? h('span', { class: 'muted' }, 'every statement')
        : matches.map((text) => h('code', { class: 'block' }, text)),
  },
  {
    key: 'effects',
    title: 'Then',
    text: ({ effects }) => effects.join('\n'),
    render: ({ effects }) => effects.map((text) => h('code', { class: 'block' }, text)),
  },
  { key: 'comment', title: 'Comment', isMinor: true, text: ({ comment }) => comment },
];
