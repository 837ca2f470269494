import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ConfigSyntaxError } from '../../../../src/cli/import/libconfig/config-syntax-error.ts';
import { Lexer } from '../../../../src/cli/import/libconfig/lexer.ts';
import { parseSettings } from '../../../../src/cli/import/libconfig/parser.ts';
import { ConfigFileError, readSettingsFile } from '../../../../src/cli/import/libconfig/read-file.ts';
import type { Setting, Value } from '../../../../src/cli/import/libconfig/tree.ts';

function parse(text: string): readonly Setting[] {
  const lexer = new Lexer('f', text);
  return parseSettings(() => lexer.next());
}

/** Without places: groups as objects, lists as arrays. */
function plain(value: Value): unknown {
  if (value.kind === 'scalar') return value.value;
  if (value.kind === 'list') return value.items.map(plain);
  return plainSettings(value.settings);
}

function plainSettings(settings: readonly Setting[]): Record<string, unknown> {
  return Object.fromEntries(settings.map(({ name, value }) => [name, plain(value)]));
}

function problemOf(work: () => unknown): string {
  try {
    work();
    return 'no problem';
  } catch (error) {
    if (error instanceof ConfigSyntaxError || error instanceof ConfigFileError) return error.message;
    throw error;
  }
}

t.test('what libconfig takes', async (t) => {
  const cases: readonly [string, unknown][] = [
    ['', {}],
    [' # nothing\n// here\n/* or\n * there */', {}],
    ['a = 1; b : 2, c=3 d=4', { a: 1, b: 2, c: 3, d: 4 }],
    [
      'a=-7 b=+7 c=0x1F d=10L e=0xFFL f=1.5 g=-1e3 h=.5',
      { a: -7, b: 7, c: 31, d: 10, e: 255, f: 1.5, g: -1000, h: 0.5 },
    ],
    ['a=9223372036854775807L', { a: 9223372036854775807n }],
    ['a=true b=FALSE c=True', { a: true, b: false, c: true }],
    ['a="x" "y"\n  "z"', { a: 'xyz' }],
    ['a="one\ntwo"', { a: 'one\ntwo' }],
    [String.raw`a="\n\t\r\f\\\"\x41"`, { a: '\n\t\r\f\\"A' }],
    // Regular expressions: what is no escape is a backslash.
    [String.raw`a="^SELECT\s+\w\b\d\(\x4"`, { a: String.raw`^SELECT\s+\w\b\d\(\x4` }],
    ['a="# no // comment /* here */"', { a: '# no // comment /* here */' }],
    ['a={b=1; c={d="e"}}', { a: { b: 1, c: { d: 'e' } } }],
    ['a=({b=1},{b=2},)', { a: [{ b: 1 }, { b: 2 }] }],
    ['a=[1,2] b=[] c=() d={}', { a: [1, 2], b: [], c: [], d: {} }],
    ['a-b*_1=1', { 'a-b*_1': 1 }],
    ['method=GET\nb=1', { method: 'GET', b: 1 }],
    ['\uFEFFa=1', { a: 1 }],
    ['a=1\r\nb=2\r\n', { a: 1, b: 2 }],
  ];
  for (const [text, expected] of cases)
    t.strictSame(plainSettings(parse(text)), expected, JSON.stringify(text));
  t.equal(Object.getPrototypeOf(plainSettings(parse('constructor={a=1}'))), Object.prototype);
});

t.test('what it does not take is said with line and column', async (t) => {
  const cases: readonly [string, string][] = [
    ['a', 'f:1:2: expected = behind a, found the end of the file'],
    ['a\n\n 5', 'f:3:2: expected = behind a, found a number'],
    ['a=', 'f:1:3: expected a value of a, found the end of the file'],
    ['user =\npassword = "hunter2"', 'f:2:1: user has no value'],
    ['a=1;;', 'f:1:5: expected the name of a setting, found ";"'],
    ['a="x', 'f:1:3: this text is not closed, " is missing'],
    ['a=1 /* x', 'f:1:5: this comment is not closed, */ is missing'],
    ['a=(\n{b=1}\n{c=1}\n)', 'f:3:1: expected "," or ")" for the "(" of line 1 (a), found "{"'],
    ['a=({b=1},', 'f:1:3: this "(" of a is not closed, ")" is missing'],
    ['a={\nb=1', 'f:1:3: this "{" of a is not closed, "}" is missing'],
    ['a={b=1)', 'f:1:7: expected a setting or "}" for the "{" of line 1 (a), found ")"'],
    ['a=1\na=2', 'f:2:1: a is there already, in line 1 of f'],
    ['a=[{b=1}]', 'f:1:4: "[" may hold texts, numbers and switches only; lists are in "(" and ")"'],
    ['a=10ms', 'f:1:3: this is no number; text needs quotes'],
    ['a=10.0.0.1', 'f:1:3: this is no number; text needs quotes'],
    ['a=hunter2%', 'f:1:10: this character % has no meaning here; text needs quotes'],
    ["a='x'", "f:1:3: this character ' has no meaning here; text needs quotes"],
    ['a=-', 'f:1:3: this character - has no meaning here; text needs quotes'],
    ['a=1 @include "x"', 'f:1:5: @include must stand at the beginning of a line'],
    ['@includ "x"', 'f:1:1: expected @include "path of a file"'],
    [`a=${'('.repeat(100)}`, 'f:1:67: more than 64 brackets inside each other'],
    ['a=1 "hunter2"', 'f:1:5: expected the name of a setting, found a text'],
  ];
  for (const [text, problem] of cases)
    t.equal(
      problemOf(() => parse(text)),
      problem,
      JSON.stringify(text),
    );
});

t.test('files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-libconfig-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const read = (name: string) => problemOf(() => readSettingsFile(name)).replaceAll(`${folder}/`, '');

  mkdirSync(join(folder, 'more'));
  file('more/b.cnf', 'b=2\n@include "c.cnf"\n');
  file('more/c.cnf', 'c=3');
  const main = readSettingsFile(file('a.cnf', 'a=1\n  @include "more/b.cnf"\nd=4'));
  t.strictSame(plainSettings(main.settings), { a: 1, b: 2, c: 3, d: 4 });
  t.equal(main.files.length, 3);
  const inside = readSettingsFile(file('inside.cnf', 'g={\n@include "more/c.cnf"\n}'));
  t.strictSame(plainSettings(inside.settings), { g: { c: 3 } });

  file('self.cnf', '@include "self.cnf"');
  t.equal(read(join(folder, 'self.cnf')), 'self.cnf:1:1: @include of self.cnf: this file includes itself');
  file('loop1.cnf', '\n@include "loop2.cnf"');
  file('loop2.cnf', '@include "loop3.cnf"');
  symlinkSync(join(folder, 'loop1.cnf'), join(folder, 'loop3.cnf'));
  t.equal(
    read(join(folder, 'loop1.cnf')),
    'loop2.cnf:1:1: @include of loop3.cnf: this file includes itself',
    'by another name as well',
  );
  for (let level = 0; level < 20; level++) file(`deep${level}.cnf`, `@include "deep${level + 1}.cnf"`);
  t.match(read(join(folder, 'deep0.cnf')), /^deep10\.cnf:1:1: .*files include each other more than 10 deep$/);
  file('broken.cnf', 'x=1\n@include "bad.cnf"');
  file('bad.cnf', '\ny=(');
  t.equal(read(join(folder, 'broken.cnf')), 'bad.cnf:2:3: this "(" of y is not closed, ")" is missing');
  t.equal(
    read(file('gone.cnf', 'x=1\n@include "nowhere.cnf"')),
    'gone.cnf:2:1: @include of nowhere.cnf: there is no such file',
  );
  t.equal(read(join(folder, 'nowhere.cnf')), 'nowhere.cnf: there is no such file');
  t.match(read(folder), /: it is a folder$/);
  t.match(read('/dev/zero'), /^\/dev\/zero: it is no file$/);
  t.equal(
    read(file('binary.cnf', Buffer.from('a=1\nb=\0'))),
    'binary.cnf:2:3: this is no text but a binary file (a zero byte)',
  );
  t.equal(
    read(
      file(
        'latin.cnf',
        Buffer.concat([Buffer.from('ü="é"\nb="'), Buffer.from([0xe9]), Buffer.from('"\nc=1')]),
      ),
    ),
    'latin.cnf:2:4: this is not UTF-8: convert the file, or it is a binary one',
  );
  file('many.cnf', '@include "large.cnf"\n@include "large.cnf"');
  file('large.cnf', Buffer.alloc(40 * 1024 * 1024, ' '));
  t.equal(
    read(join(folder, 'many.cnf')),
    'many.cnf:2:1: @include of large.cnf: these are more than 64 MiB',
    'all files count together',
  );
});
