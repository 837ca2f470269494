/** A field whose words must all be somewhere in a row. */
import { h } from './dom.ts';

export class FilterInput {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  #words: readonly string[] = [];

  constructor(label: string, changed: () => void) {
    this.input = h('input', {
      type: 'search',
      placeholder: label,
      'aria-label': label,
      spellcheck: 'false',
      autocomplete: 'off',
    });
    this.element = h('div', { class: 'filter' }, this.input);
    this.input.addEventListener('input', () => {
      this.#read();
      changed();
    });
  }

  get isSet(): boolean {
    return this.#words.length > 0;
  }

  set(text: string): void {
    this.input.value = text;
    this.#read();
  }

  accepts(...texts: readonly string[]): boolean {
    if (this.#words.length === 0) return true;
    const all = texts.join(' ').toLowerCase();
    return this.#words.every((word) => all.includes(word));
  }

  #read(): void {
    this.#words = this.input.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
  }
}
