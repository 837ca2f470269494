/**
 * Go's text/template, as much of it as the chart uses: text and actions with trimming, comments, if/else if/else, with,
 * range, define, variables, pipelines, parentheses. What is beyond that is an error, never taken for something else;
 * `reference.go` does the same with Go's own implementation, and a test compares the two where Go is installed.
 */

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | bigint | boolean | null }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'fields'; readonly of: Expression; readonly names: readonly string[] }
  | { readonly kind: 'pipeline'; readonly commands: readonly Command[] };

/** The first operand is a function, or stands alone. */
export type Command = readonly Expression[];

export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Expression;
  readonly declares: readonly string[];
  readonly body: Node[];
  readonly otherwise: Node[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Expression }
  | { readonly kind: 'assign'; readonly name: string; readonly isNew: boolean; readonly pipeline: Expression }
  | BranchNode;

interface Piece {
  readonly isAction: boolean;
  text: string;
}

const ACTION = /\{\{(-\s)?(\/\*[\s\S]*?\*\/|(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`])*?)(\s-)?\}\}/g;

function cut(source: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  let trims = false;
  const addText = (to: number, trimsEnd: boolean): void => {
    let text = source.slice(end, to);
    if (trims) text = text.replace(/^[ \t\r\n]+/, '');
    if (trimsEnd) text = text.replace(/[ \t\r\n]+$/, '');
    pieces.push({ isAction: false, text });
  };
  for (const match of source.matchAll(ACTION)) {
    addText(match.index, match[1] !== undefined);
    if (!match[2]!.trim().startsWith('/*')) pieces.push({ isAction: true, text: match[2]!.trim() });
    end = match.index + match[0].length;
    trims = match[3] !== undefined;
  }
  addText(source.length, false);
  if (pieces.some(({ isAction, text }) => !isAction && /\{\{|\}\}/.test(text)))
    throw new Error('an action that is not closed');
  return pieces;
}

const TOKEN =
  /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+(?![\w.])|\$\w*|(?:\.[A-Za-z_]\w*)+|\.(?!\w)|[A-Za-z_]\w*|:=|=|\||\(|\)|,/y;

function tokens(action: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (match === null) throw new Error(`{{ ${action} }}: cannot be read from "${action.slice(at)}" on`);
    found.push(match[0]);
  }
  return found;
}

/** Of one action; spaces are tokens, since `$x .y` is two operands and `$x.y` one. */
class ExpressionReader {
  readonly #action: string;
  readonly #tokens: string[];
  #next = 0;

  constructor(action: string) {
    this.#action = action;
    this.#tokens = tokens(action);
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  /** Takes it if it comes next. */
  take(wanted: string | RegExp): string | null {
    this.#skipSpace();
    const token = this.#tokens[this.#next];
    if (token === undefined) return null;
    if (typeof wanted === 'string' ? token !== wanted : !wanted.test(token)) return null;
    this.#next++;
    return token;
  }

  pipeline(): Expression {
    const commands: Command[] = [];
    do commands.push(this.#command());
    while (this.take('|') !== null);
    return { kind: 'pipeline', commands };
  }

  /** `$x :=`, `$x =`, `$k, $v :=`, or nothing. */
  declaration(): { readonly names: readonly string[]; readonly isNew: boolean } {
    const start = this.#next;
    const names: string[] = [];
    do {
      const name = this.take(/^\$\w+$/);
      if (name !== null) names.push(name);
    } while (names.length === 1 && this.take(',') !== null);
    const sign = names.length > 0 ? this.take(/^:?=$/) : null;
    if (sign !== null) return { names, isNew: sign === ':=' };
    this.#next = start;
    return { names: [], isNew: false };
  }

  end(): void {
    this.#skipSpace();
    if (!this.isAtEnd) this.#fail(`"${this.#tokens[this.#next]}" is not expected`);
  }

  #command(): Command {
    const operands: Expression[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#tokens[this.#next];
      if (token === undefined || token === '|' || token === ')') break;
      operands.push(this.#operand());
    }
    if (operands.length === 0) this.#fail('a value is missing');
    return operands;
  }

  #operand(): Expression {
    const token = this.#tokens[this.#next++]!;
    const operand = token === '(' ? this.#inner() : this.#single(token);
    const fields = this.#tokens[this.#next];
    if (fields === undefined || !/^\.\w/.test(fields) || token.startsWith('.')) return operand;
    this.#next++;
    return { kind: 'fields', of: operand, names: fields.slice(1).split('.') };
  }

  #inner(): Expression {
    const inner = this.pipeline();
    if (this.take(')') === null) this.#fail('a ) is missing');
    return inner;
  }

  #single(token: string): Expression {
    if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token) as string };
    if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
    if (/^-?\d/.test(token)) return { kind: 'literal', value: BigInt(token) };
    if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
    if (token === 'nil') return { kind: 'literal', value: null };
    if (token === '.') return { kind: 'dot' };
    if (token.startsWith('.'))
      return { kind: 'fields', of: { kind: 'dot' }, names: token.slice(1).split('.') };
    if (token.startsWith('$')) return { kind: 'variable', name: token };
    if (/^\w+$/.test(token)) return { kind: 'function', name: token };
    return this.#fail(`"${token}" is no value`);
  }

  #skipSpace(): void {
    while (/^\s+$/.test(this.#tokens[this.#next] ?? '')) this.#next++;
  }

  #fail(reason: string): never {
    throw new Error(`{{ ${this.#action} }}: ${reason}`);
  }
}

/** The body of a file; what it defines goes into `defined`. */
export function parseTemplate(source: string, defined: Map<string, readonly Node[]>): Node[] {
  return new TemplateReader(source, defined).file();
}

class TemplateReader {
  readonly #pieces: readonly Piece[];
  readonly #defined: Map<string, readonly Node[]>;
  #next = 0;

  constructor(source: string, defined: Map<string, readonly Node[]>) {
    this.#pieces = cut(source);
    this.#defined = defined;
  }

  file(): Node[] {
    const nodes: Node[] = [];
    const closing = this.#body(nodes);
    if (closing !== null) throw new Error(`{{ ${closing} }} closes nothing`);
    return nodes;
  }

  /** Up to the `end` or `else` that closes it, which is returned. */
  #body(into: Node[]): string | null {
    while (this.#next < this.#pieces.length) {
      const { isAction, text } = this.#pieces[this.#next++]!;
      if (!isAction) {
        if (text !== '') into.push({ kind: 'text', text });
        continue;
      }
      const [word = ''] = text.split(/\s/, 1);
      const rest = text.slice(word.length).trim();
      if (word === 'end' || word === 'else') return text;
      if (word === 'define') this.#define(JSON.parse(rest) as string);
      else if (word === 'if' || word === 'with' || word === 'range') into.push(this.#branch(word, rest));
      else if (['template', 'block', 'break', 'continue'].includes(word))
        throw new Error(`{{ ${text} }} is not supported`);
      else into.push(action(text));
    }
    return null;
  }

  #define(name: string): void {
    const nodes: Node[] = [];
    if (this.#body(nodes) !== 'end') throw new Error(`{{ define "${name}" }} has no end`);
    if (this.#defined.has(name)) throw new Error(`"${name}" is defined twice`);
    this.#defined.set(name, nodes);
  }

  #branch(kind: BranchNode['kind'], text: string): BranchNode {
    const reader = new ExpressionReader(text);
    const { names } = reader.declaration();
    const pipeline = reader.pipeline();
    reader.end();
    const node: BranchNode = { kind, pipeline, declares: names, body: [], otherwise: [] };
    const closing = this.#body(node.body);
    const chained = kind === 'if' ? /^else\s+if\s(.*)$/s.exec(closing ?? '')?.[1] : undefined;
    if (chained !== undefined) node.otherwise.push(this.#branch('if', chained.trim()));
    else if (
      closing === null ||
      (closing === 'else' && this.#body(node.otherwise) !== 'end') ||
      !/^(else|end)$/.test(closing)
    )
      throw new Error(`{{ ${kind} ${text} }} has no end`);
    return node;
  }
}

function action(text: string): Node {
  const reader = new ExpressionReader(text);
  const { names, isNew } = reader.declaration();
  const pipeline = reader.pipeline();
  reader.end();
  const [name] = names;
  return name === undefined ? { kind: 'print', pipeline } : { kind: 'assign', name, isNew, pipeline };
}
