/** Turns what zod found into sentences for an operator. Values are quoted only where they cannot be secret. */
import type * as z from 'zod';
import { foldName, nearestName } from './nearest-name.ts';
import { SECRET_FORMS } from './secret-schema.ts';
import { type JsonSchemaNode, nodeAt, type Setting, validKeys } from './settings.ts';

export interface IssueMessage {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly suggestion: string | null;
}

type Issue = z.core.$ZodIssue;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

/** Settings of earlier versions, and what to write instead. */
const REPLACED: ReadonlyMap<string, string> = new Map([
  ['routing.stickyAfterWriteMs', '"causalReads.level" says which writes a read must see'],
]);

/** `servers[1].port` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${keyText(step)}`,
    )
    .join('');
}

/** A key as far as it looks like one: where a colon was forgotten the rest of the line is a value. */
function keyText(key: PropertyKey): string {
  return /^[\w.-]{1,64}/.exec(String(key))?.[0] ?? '?';
}

function foundText(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? Reflect.get(value as object, step) : undefined,
    root,
  );
}

function isSecret(path: readonly PropertyKey[]): boolean {
  return (
    path.some((step) => /password/i.test(String(step))) || path.at(-1) === 'users' || path.at(-2) === 'users'
  );
}

function quote(path: readonly PropertyKey[], value: unknown): string {
  if (value === undefined || isSecret(path) || typeof value === 'object' || String(value).includes('@'))
    return '';
  return `, found ${JSON.stringify(value).slice(0, 60)}`;
}

function rangeText(root: JsonSchemaNode, path: readonly PropertyKey[]): string {
  const node = nodeAt(root, path);
  const bounded = [node, ...(node?.anyOf ?? [])].find((each) => each?.minimum !== undefined);
  return bounded === undefined || bounded === null ? '' : ` from ${bounded.minimum} to ${bounded.maximum}`;
}

export class IssueWriter {
  readonly #schema: JsonSchemaNode;
  readonly #settings: readonly Setting[];
  readonly #raw: unknown;

  constructor(schema: JsonSchemaNode, settings: readonly Setting[], raw: unknown) {
    this.#schema = schema;
    this.#settings = settings;
    this.#raw = raw;
  }

  describe(issue: Issue, base: readonly PropertyKey[] = []): IssueMessage[] {
    const path = [...base, ...issue.path];
    const secret = path.findIndex((_, index) => this.#isSecretSetting(path.slice(0, index + 1)));
    if (secret >= 0) return [this.#secret(path.slice(0, secret + 1))];
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => this.#unknownKey(path, key));
      case 'invalid_union':
        return this.#union(issue, path);
      case 'invalid_value':
        return [this.#value(path, issue.values.map(String))];
      case 'too_small':
      case 'too_big':
        return [this.#size(issue, path)];
      case 'invalid_type':
        return [this.#type(issue.expected, path)];
      case 'custom':
      case 'invalid_format':
        // The schema's own words: what is expected, without the value.
        return [{ path, message: issue.message, suggestion: null }];
      default:
        return [{ path, message: 'this value is not valid', suggestion: null }];
    }
  }

  #isSecretSetting(path: readonly PropertyKey[]): boolean {
    const node = nodeAt(this.#schema, path);
    return [node, ...(node?.anyOf ?? [])].some((each) => each?.['x-secret'] === true);
  }

  /** Says nothing of what stands there: a key may be the secret. */
  #secret(path: readonly PropertyKey[]): IssueMessage {
    const value = valueAt(this.#raw, path);
    if (value === undefined) return { path, message: 'is missing, expected text', suggestion: null };
    if (value === null || typeof value !== 'object')
      return {
        path,
        message: `expected text (put it in quotes), found ${foundText(value)}`,
        suggestion: null,
      };
    return {
      path,
      message: `${SECRET_FORMS}, found ${Array.isArray(value) ? 'a list' : 'another mapping'}`,
      suggestion: null,
    };
  }

  #unknownKey(parent: readonly PropertyKey[], key: string): IssueMessage {
    const path = [...parent, key];
    const replacement = REPLACED.get(formatPath(path));
    if (replacement !== undefined)
      return { path, message: `is no setting any more: ${replacement}`, suggestion: null };
    const nearest = nearestName(key, validKeys(nodeAt(this.#schema, parent)));
    if (nearest !== null) return { path, message: 'unknown key', suggestion: `"${nearest}"` };
    // The right name in the wrong section.
    const elsewhere = this.#settings.filter(
      (setting) => foldName(setting.path.split('.').at(-1) ?? '') === foldName(key),
    );
    const suggestion = elsewhere.length === 0 ? null : elsewhere.map((each) => `"${each.path}"`).join(' or ');
    return { path, message: 'unknown key', suggestion };
  }

  /** Speaks of the alternative that the value was meant to be: the one whose type fits, if there is one. */
  #union(issue: Issue & { code: 'invalid_union' }, path: readonly PropertyKey[]): IssueMessage[] {
    const meant = issue.errors.find(
      (errors) => !errors.some((error) => error.path.length === 0 && error.code === 'invalid_type'),
    );
    if (meant !== undefined) return meant.flatMap((error) => this.describe(error, path));
    const expected = issue.errors.map((errors) =>
      errors[0]?.code === 'invalid_type'
        ? (TYPE_NAMES[errors[0].expected] ?? errors[0].expected)
        : 'something else',
    );
    const found = foundText(valueAt(this.#raw, path));
    return [{ path, message: `expected ${expected.join(' or ')}, found ${found}`, suggestion: null }];
  }

  #value(path: readonly PropertyKey[], values: readonly string[]): IssueMessage {
    const value = valueAt(this.#raw, path);
    const missing = value === undefined ? 'is missing, ' : '';
    const nearest = typeof value === 'string' && !isSecret(path) ? nearestName(value, values) : null;
    return {
      path,
      message: `${missing}expected ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${quote(path, value)}`,
      suggestion: nearest === null ? null : `"${nearest}"`,
    };
  }

  #size(issue: Issue & { code: 'too_small' | 'too_big' }, path: readonly PropertyKey[]): IssueMessage {
    const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
    const value = valueAt(this.#raw, path);
    if (issue.origin === 'string') {
      const message =
        issue.code === 'too_small' ? 'must not be empty' : `must not be longer than ${limit} characters`;
      return { path, message, suggestion: null };
    }
    if (issue.origin === 'array') {
      return { path, message: `the list has more than ${limit} elements`, suggestion: null };
    }
    const message = `expected a whole number${rangeText(this.#schema, path)}${quote(path, value)}`;
    return { path, message, suggestion: null };
  }

  #type(expected: string, path: readonly PropertyKey[]): IssueMessage {
    const value = valueAt(this.#raw, path);
    const name = TYPE_NAMES[expected] ?? expected;
    const range = expected === 'int' || expected === 'number' ? rangeText(this.#schema, path) : '';
    if (value === undefined)
      return { path, message: `is missing, expected ${name}${range}`, suggestion: null };
    const inQuotes =
      expected === 'string' && (value === null || typeof value !== 'object') ? ' (put it in quotes)' : '';
    const isScalar = range !== '' || expected === 'boolean';
    const mayQuote = isScalar && typeof value !== 'object' && !isSecret(path);
    const found = mayQuote ? quote(path, value) : `, found ${foundText(value)}`;
    return { path, message: `expected ${name}${range}${inQuotes}${found}`, suggestion: null };
  }
}
