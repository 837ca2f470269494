/**
 * A table that is filled again and again: rows stay the same elements, so that focus, selection and the place on the
 * page are kept; cells are touched only where their text is another one.
 */
import { type Child, h, setAttribute } from './dom.ts';

export interface TableColumn<Row> {
  readonly key: string;
  readonly title: string;
  /** What it means, for who points at the heading. */
  readonly hint?: string;
  readonly isNumber?: boolean;
  /** Left out on narrow pages. */
  readonly isMinor?: boolean;
  /** What to sort by; not sortable without. */
  readonly order?: (row: Row) => number | string;
  /** Stands for the content: it is made again when this is another text. */
  readonly text: (row: Row) => string;
  /** Unless the text is the content. */
  readonly render?: (row: Row) => Child | readonly Child[];
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly key: (row: Row) => string;
  /** The column that it is sorted by at first; with a minus the largest come first. */
  readonly sortedBy: string;
  /** Said where there is no row. */
  readonly empty: () => string;
}

interface Line<Row> {
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  texts: string[];
  row: Row;
}

export class DataTable<Row> {
  readonly element: HTMLElement;
  readonly #options: TableOptions<Row>;
  readonly #body = h('tbody');
  readonly #empty = h('p', { class: 'empty' });
  readonly #table: HTMLTableElement;
  readonly #headings = new Map<string, HTMLTableCellElement>();
  readonly #lines = new Map<string, Line<Row>>();
  #rows: readonly Row[] = [];
  #sortedBy: string;
  #isDescending: boolean;

  constructor(options: TableOptions<Row>) {
    this.#options = options;
    this.#isDescending = options.sortedBy.startsWith('-');
    this.#sortedBy = options.sortedBy.replace(/^-/, '');
    const headings = options.columns.map((column) => this.#heading(column));
    this.#table = h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, options.caption),
      h('thead', {}, h('tr', {}, ...headings)),
      this.#body,
    );
    this.element = h('div', { class: 'table-frame' }, this.#table, this.#empty);
    this.#showOrder();
  }

  update(rows: readonly Row[]): void {
    this.#rows = rows;
    const sorted = this.#sorted();
    const focused = document.activeElement;
    const wanted = new Set(sorted.map((row) => this.#options.key(row)));
    for (const [key, line] of [...this.#lines]) {
      if (wanted.has(key)) continue;
      line.element.remove();
      this.#lines.delete(key);
    }
    let before: Element | null = this.#body.firstElementChild;
    for (const row of sorted) {
      const { element } = this.#line(row);
      if (element === before) before = before.nextElementSibling;
      else this.#body.insertBefore(element, before);
    }
    // A row that has moved has lost it.
    if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused)
      focused.focus({ preventScroll: true });
    this.#empty.textContent = this.#options.empty();
    this.#empty.hidden = rows.length > 0;
    this.#table.hidden = rows.length === 0;
  }

  #heading(column: TableColumn<Row>): HTMLTableCellElement {
    const { key, title, hint, order } = column;
    const sort = (): void => {
      this.#isDescending = this.#sortedBy === key ? !this.#isDescending : column.isNumber === true;
      this.#sortedBy = key;
      this.#showOrder();
      this.update(this.#rows);
    };
    const content = order === undefined ? title : h('button', { type: 'button', on: { click: sort } }, title);
    const cell = h('th', { scope: 'col', class: classOf(column), title: hint ?? null }, content);
    this.#headings.set(key, cell);
    return cell;
  }

  #showOrder(): void {
    for (const [key, cell] of this.#headings) {
      const isSorted = key === this.#sortedBy;
      setAttribute(cell, 'aria-sort', isSorted ? (this.#isDescending ? 'descending' : 'ascending') : null);
    }
  }

  #sorted(): readonly Row[] {
    const order = this.#options.columns.find(({ key }) => key === this.#sortedBy)?.order;
    if (order === undefined) return this.#rows;
    const direction = this.#isDescending ? -1 : 1;
    return this.#rows.toSorted((a, b) => {
      const [left, right] = [order(a), order(b)];
      if (left === right) return this.#options.key(a) < this.#options.key(b) ? -1 : 1;
      return left < right ? -direction : direction;
    });
  }

  #line(row: Row): Line<Row> {
    const key = this.#options.key(row);
    let line = this.#lines.get(key);
    if (line === undefined) {
      const cells = this.#options.columns.map((column) =>
        h('td', { class: `cell ${classOf(column)}`, 'data-title': column.title }),
      );
      line = { element: h('tr', {}, ...cells), cells, texts: [], row };
      this.#lines.set(key, line);
    }
    line.row = row;
    for (const [index, column] of this.#options.columns.entries()) {
      const text = column.text(row);
      if (line.texts[index] === text) continue;
      line.texts[index] = text;
      const content = column.render?.(row) ?? text;
      const children = Array.isArray(content) ? (content as readonly Child[]) : [content as Child];
      line.cells[index]?.replaceChildren(...children.filter((child) => child !== null));
    }
    return line;
  }
}

function classOf({ isNumber, isMinor, key }: TableColumn<never>): string {
  return `column-${key}${isNumber === true ? ' number' : ''}${isMinor === true ? ' minor' : ''}`;
}
