/** Reads YAML into plain values, and knows on which line each of them stands. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import type { ConfigProblem } from './config-error.ts';

export interface YamlSource {
  /** The mapping of the file; empty when the file cannot be read as one. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
  /** Line of the deepest part of `path` that exists, counted from 1. */
  lineOf(path: readonly PropertyKey[]): number | null;
}

/** The parser's own sentences quote the text around an error, which may be a password: these do not. */
const SENTENCES: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'a value that begins with * must be in quotes',
  BAD_ALIAS: 'a value that begins with * must be in quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_DQ_ESCAPE: 'unknown escape sequence in a text with double quotes',
  BAD_SCALAR_START: 'a value that begins with this character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping begins on the same line as another one, or a quote is missing',
  DUPLICATE_KEY: 'this key stands twice in the same mapping',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a colon missing?',
  TAB_AS_INDENT: 'indent with spaces, not tabs',
  TAG_RESOLVE_FAILED: 'a value that begins with ! must be in quotes',
  UNEXPECTED_TOKEN: 'this is not YAML',
};

function problem(file: string, line: number | null, message: string): ConfigProblem {
  return { key: '', message, source: { kind: 'file', file, line }, suggestion: null };
}

function syntaxProblems(file: string, document: Document.Parsed, lines: LineCounter): ConfigProblem[] {
  return [...document.errors, ...document.warnings].map((error) =>
    problem(
      file,
      lines.linePos(error.pos[0]).line,
      SENTENCES[error.code] ?? `this is not valid YAML (${error.code})`,
    ),
  );
}

/** An alias without an anchor is nearly always a password hash (`*6BB4…`) whose quotes were forgotten. */
function aliasProblems(file: string, document: Document.Parsed, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) {
        const line = alias.range ? lines.linePos(alias.range[0]).line : null;
        problems.push(problem(file, line, 'a value that begins with * must be in quotes'));
      }
    },
  });
  return problems;
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number | null {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      break;
    }
  }
  return offset === undefined ? null : lines.linePos(offset).line;
}

function toMapping(document: Document.Parsed): Record<string, unknown> | null {
  const values: unknown = document.toJS();
  if (values === null || values === undefined) return {};
  return isMap(document.contents) ? (values as Record<string, unknown>) : null;
}

/** @param file its name for messages only: nothing is read here */
export function parseYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const where = (path: readonly PropertyKey[]) => lineOf(document, lines, path);
  const problems = syntaxProblems(file, document, lines);
  if (document.errors.length === 0) problems.push(...aliasProblems(file, document, lines));
  if (problems.length > 0) return { values: {}, problems, lineOf: where };
  try {
    const values = toMapping(document);
    if (values !== null) return { values, problems: [], lineOf: where };
    problems.push(problem(file, 1, 'expected a mapping of settings, such as "listen:"'));
  } catch {
    // What is left to fail is the expansion of aliases (a "billion laughs" file).
    problems.push(problem(file, null, 'too many aliases'));
  }
  return { values: {}, problems, lineOf: where };
}
