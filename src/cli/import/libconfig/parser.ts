/**
 * From tokens to settings, by libconfig's grammar. Taken besides, because ProxySQL writes it or people do: a single
 * word without quotes (`method=GET`), and a comma behind the last element of a list.
 */
import { ConfigSyntaxError, type Place } from './config-syntax-error.ts';
import { type Token, TokenKind } from './lexer.ts';
import type { GroupValue, ListValue, ScalarValue, Setting, Value } from './tree.ts';

/** Deeper than anybody nests, and far from the end of the stack. */
const MAX_DEPTH = 64;

const CLOSING = { '(': ')', '[': ']', '{': '}' } as const;
type Opening = keyof typeof CLOSING;

function isOpening(sign: unknown): sign is Opening {
  return sign === '(' || sign === '[' || sign === '{';
}

class Parser {
  readonly #next: () => Token;
  #token: Token;
  #depth = 0;

  /** @param next the tokens of the file, and of what it includes */
  constructor(next: () => Token) {
    this.#next = next;
    this.#token = next();
  }

  file(): readonly Setting[] {
    const settings = this.#settings();
    if (this.#token.kind !== TokenKind.end)
      this.#fail(`expected the name of a setting, found ${this.#found()}`);
    return settings;
  }

  #is(sign: string): boolean {
    return this.#token.kind === TokenKind.sign && this.#token.value === sign;
  }

  #take(): Token {
    const token = this.#token;
    this.#token = this.#next();
    return token;
  }

  #fail(message: string, place: Place = this.#token.place): never {
    throw new ConfigSyntaxError(place, message);
  }

  /** Never a value: it may be a password. */
  #found(): string {
    const { kind, value } = this.#token;
    switch (kind) {
      case TokenKind.sign:
        return `"${String(value)}"`;
      case TokenKind.end:
        return 'the end of the file';
      case TokenKind.name:
        return 'a name';
      case TokenKind.text:
        return 'a text';
      case TokenKind.number:
        return 'a number';
      default:
        return `a ${kind}`;
    }
  }

  #settings(): Setting[] {
    const settings: Setting[] = [];
    const first = new Map<string, Place>();
    while (this.#token.kind === TokenKind.name) {
      const setting = this.#setting();
      const twin = first.get(setting.name);
      if (twin !== undefined)
        this.#fail(`${setting.name} is there already, in line ${twin.line} of ${twin.file}`, setting.place);
      first.set(setting.name, setting.place);
      settings.push(setting);
    }
    return settings;
  }

  #setting(): Setting {
    const { value, place } = this.#take();
    const name = String(value);
    if (!this.#is('=') && !this.#is(':')) this.#fail(`expected = behind ${name}, found ${this.#found()}`);
    this.#take();
    const setting = { name, value: this.#value(name), place };
    if (this.#is(';') || this.#is(',')) this.#take();
    return setting;
  }

  /** @param owner what it is the value of, for messages */
  #value(owner: string): Value {
    const { kind, value, place } = this.#token;
    if (kind === TokenKind.sign && isOpening(value)) return this.#composite(value, owner);
    if (kind === TokenKind.text) return this.#text();
    if (kind === TokenKind.number || kind === TokenKind.boolean) {
      this.#take();
      return { kind: 'scalar', value, place };
    }
    if (kind === TokenKind.name) {
      this.#take();
      // `user = ` and on the next line `password = …`: the name there is no value.
      if (!this.#is('=') && !this.#is(':')) return { kind: 'scalar', value: String(value), place };
      this.#fail(`${owner} has no value`, place);
    }
    return this.#fail(`expected a value of ${owner}, found ${this.#found()}`);
  }

  /** Neighbours are one text. */
  #text(): ScalarValue {
    const { place } = this.#token;
    const parts: string[] = [];
    while (this.#token.kind === TokenKind.text) parts.push(String(this.#take().value));
    return { kind: 'scalar', value: parts.join(''), place };
  }

  #composite(opening: Opening, owner: string): GroupValue | ListValue {
    const { place } = this.#take();
    if (++this.#depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} brackets inside each other`, place);
    const content: GroupValue | ListValue =
      opening === '{'
        ? { kind: 'group', settings: this.#settings(), place }
        : { kind: 'list', items: this.#items(opening, owner), place };
    if (!this.#is(CLOSING[opening])) this.#unclosed(opening, place, owner);
    this.#take();
    this.#depth--;
    return content;
  }

  #unclosed(opening: Opening, place: Place, owner: string): never {
    const closing = CLOSING[opening];
    if (this.#token.kind === TokenKind.end)
      this.#fail(`this "${opening}" of ${owner} is not closed, "${closing}" is missing`, place);
    const expected = opening === '{' ? 'a setting' : '","';
    const where = `the "${opening}" of line ${place.line} (${owner})`;
    return this.#fail(`expected ${expected} or "${closing}" for ${where}, found ${this.#found()}`);
  }

  #items(opening: '(' | '[', owner: string): Value[] {
    const items: Value[] = [];
    while (!this.#is(CLOSING[opening]) && this.#token.kind !== TokenKind.end) {
      const item = this.#value(owner);
      if (opening === '[' && item.kind !== 'scalar')
        this.#fail('"[" may hold texts, numbers and switches only; lists are in "(" and ")"', item.place);
      items.push(item);
      if (!this.#is(',')) break;
      this.#take();
    }
    return items;
  }
}

/** @throws ConfigSyntaxError */
export function parseSettings(next: () => Token): readonly Setting[] {
  return new Parser(next).file();
}
