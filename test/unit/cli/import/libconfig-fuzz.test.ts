// sluice-test: timeout=120
/** Whatever a file holds: it is read as it was meant, or refused at a place that is in it; never anything else. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ConfigSyntaxError } from '../../../../src/cli/import/libconfig/config-syntax-error.ts';
import { Lexer } from '../../../../src/cli/import/libconfig/lexer.ts';
import { parseSettings } from '../../../../src/cli/import/libconfig/parser.ts';
import type { Setting, Value } from '../../../../src/cli/import/libconfig/tree.ts';

const SEED = Number(process.env.SLUICE_TEST_SEED ?? 20_251_121);
const RUNS = Number(process.env.SLUICE_TEST_RUNS ?? 400);

function parse(text: string): readonly Setting[] {
  const lexer = new Lexer('f', text);
  return parseSettings(() => lexer.next());
}

type Tree = string | number | boolean | readonly Tree[] | { readonly [name: string]: Tree };

const name = fc
  .stringMatching(/^[A-Za-z][-A-Za-z0-9_*]{0,8}$/)
  .filter((text) => !/^(?:true|false)$/i.test(text));
const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean());
const { tree } = fc.letrec<{ tree: Tree; group: { readonly [name: string]: Tree } }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('tree'), { maxLength: 4 }), tie('group')),
  group: fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
}));
const group = fc.dictionary(name, tree, { maxKeys: 5, noNullPrototype: true });
const blank = fc.constantFrom(' ', '\n', '\t', ' # x " {\n', '// y = (\n', '/* z\n * ; */', '\r\n');

/** As somebody may write it, with the blanks in between by turns. */
class Writer {
  readonly #blanks: readonly string[];
  #at = 0;

  constructor(blanks: readonly string[]) {
    this.#blanks = blanks;
  }

  #blank(): string {
    return this.#blanks[this.#at++ % this.#blanks.length] ?? ' ';
  }

  settings(values: { readonly [name: string]: Tree }): string {
    return Object.entries(values)
      .map(
        ([key, value], index) => `${this.#blank()}${key}${index % 2 === 0 ? '=' : ':'}${this.value(value)}`,
      )
      .join(';');
  }

  value(value: Tree): string {
    const around = (text: string) => `${this.#blank()}${text}${this.#blank()}`;
    if (typeof value === 'string') {
      const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
      const middle = Math.floor(escaped.length / 2);
      const isCut = escaped[middle - 1] !== '\\' && escaped.length > 4;
      return around(
        isCut ? `"${escaped.slice(0, middle)}"${this.#blank()}"${escaped.slice(middle)}"` : `"${escaped}"`,
      );
    }
    if (typeof value !== 'object') return around(String(value));
    if (Array.isArray(value)) return around(`(${value.map((each) => this.value(each)).join(',')})`);
    return around(`{${this.settings(value as { readonly [name: string]: Tree })}}`);
  }
}

function plain(value: Value): Tree {
  if (value.kind === 'scalar') return value.value as Tree;
  if (value.kind === 'list') return value.items.map(plain);
  return plainSettings(value.settings);
}

function plainSettings(settings: readonly Setting[]): { readonly [name: string]: Tree } {
  return Object.fromEntries(settings.map((setting) => [setting.name, plain(setting.value)]));
}

/** Refused with a place in the text, or taken. */
function isHandled(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    const { line, column } = error.place;
    const lines = text.split('\n');
    return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? '').length + 1;
  }
}

t.test('what is written is read', async (t) => {
  fc.assert(
    fc.property(group, fc.array(blank, { minLength: 1, maxLength: 7 }), (values, blanks) => {
      const text = new Writer(blanks).settings(values);
      return isDeepStrictEqual(plainSettings(parse(text)), values);
    }),
    { seed: SEED, numRuns: Math.ceil(RUNS / 2) },
  );
  t.pass();
});

t.test('anything else is refused at its place', async (t) => {
  const words = fc.constantFrom(
    'a',
    '=',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '"',
    '\\',
    '1',
    '0x',
    '/*',
    '*/',
    '#',
    '\n',
    '@include "x"',
    'true',
    '-',
    '.',
    'é',
    '\u2028',
  );
  const soup = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''));
  const property = fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 60 })), isHandled);
  fc.assert(property, { seed: SEED, numRuns: RUNS });
  t.pass(`${RUNS} texts`);
});

t.test('a good file with something missing, doubled or replaced', async (t) => {
  const good = new Writer([' ', '\n']).settings({
    mysql_servers: [{ address: '10.0.0.5', port: 3306, hostgroup: 0 }],
    mysql_query_rules: [{ rule_id: 1, match_digest: '^SELECT\\s', apply: true }],
  });
  const change = fc.tuple(fc.nat(good.length), fc.nat(12), fc.string({ unit: 'binary', maxLength: 3 }));
  const property = fc.property(change, ([at, cut, put]) =>
    isHandled(good.slice(0, at) + put + good.slice(at + cut)),
  );
  fc.assert(property, { seed: SEED, numRuns: RUNS });
  t.pass(`${RUNS} texts`);
});

t.test('time grows with the length, not with its square', async (t) => {
  const long = [
    '('.repeat(500_000),
    '/*'.repeat(500_000),
    `a=${'"x" '.repeat(250_000)}`,
    `a="${'\\'.repeat(1_000_000)}"`,
    `a=(${'{b=1},'.repeat(100_000)})`,
    '-'.repeat(1_000_000),
    `a=${'9'.repeat(1_000_000)}`,
  ];
  const start = process.cpuUsage();
  for (const text of long) t.ok(isHandled(text));
  const { user } = process.cpuUsage(start);
  t.ok(user < 3_000_000, `${Math.round(user / 1000)} ms`);
});
