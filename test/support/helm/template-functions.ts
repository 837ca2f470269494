/** Functions of Go's templates, of sprig and of Helm that the chart uses; whole numbers made here are bigints, as Go has ints. */

import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';

export type Value = string | number | bigint | boolean | null | undefined | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

export function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As `{{ }}` prints it. */
export function print(value: Value): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') throw new Error('a map or a list is not printed: toYaml, toJson');
  // Values are floats for Go, which prints 1e+06 for a million.
  if (typeof value === 'number' && (!Number.isInteger(value) || Math.abs(value) >= 1e6))
    throw new Error(`${value} prints otherwise in Go: int`);
  return String(value);
}

function integer(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  if (value === null || value === undefined) return 0n;
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  return 0n;
}

function text(value: Value): string {
  if (typeof value !== 'string') throw new Error(`a string was expected, not ${typeof value}`);
  return value;
}

function map(value: Value): Record<string, Value> {
  if (!isMap(value)) throw new Error(`a map was expected, not ${typeof value}`);
  return value as Record<string, Value>;
}

function indent(width: Value, value: Value): string {
  const space = ' '.repeat(Number(width));
  return space + text(value).replaceAll('\n', `\n${space}`);
}

function plain(value: Value): unknown {
  return value === undefined ? null : value;
}

function toYaml(value: Value): string {
  return stringify(plain(value), {
    version: '1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  }).trimEnd();
}

function toJson(value: Value): string {
  const sorted = (one: Value): Value =>
    Array.isArray(one)
      ? one.map(sorted)
      : isMap(one)
        ? Object.fromEntries(
            Object.keys(one)
              .toSorted()
              .map((key) => [key, sorted(one[key])]),
          )
        : typeof one === 'bigint'
          ? Number(one)
          : one;
  return JSON.stringify(plain(sorted(value)));
}

function merge(into: Record<string, Value>, over: ValueMap): ValueMap {
  for (const [key, value] of Object.entries(over)) {
    const present = into[key];
    into[key] = isMap(present) && isMap(value) ? merge(present as Record<string, Value>, value) : value;
  }
  return into;
}

function copy(value: Value): Value {
  if (Array.isArray(value)) return value.map(copy);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one)]));
  return value;
}

function kindOf(value: Value): string {
  if (value === null || value === undefined) return 'invalid';
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'object') return 'map';
  return (
    { number: 'float64', bigint: 'int', boolean: 'bool', string: 'string' }[typeof value as string] ??
    'invalid'
  );
}

/** Go's `printf` with %s and %d, each of which fits its argument. */
function printf(format: Value, ...args: Value[]): string {
  const rest = [...args];
  const done = text(format).replace(/%(.)/g, (_, verb: string) => {
    const value = rest.shift();
    if (verb === 's' && typeof value === 'string') return value;
    if (verb === 'd' && typeof value === 'bigint') return String(value);
    throw new Error(`%${verb} does not go with ${kindOf(value)}`);
  });
  if (rest.length > 0) throw new Error('printf has too many arguments');
  return done;
}

function equal(left: Value, right: Value): boolean {
  if (kindOf(left) !== kindOf(right))
    throw new Error(`${kindOf(left)} and ${kindOf(right)} are not comparable`);
  return left === right;
}

export const FUNCTIONS: Readonly<Record<string, (...args: Value[]) => Value>> = {
  add: (...numbers) => numbers.reduce((sum: bigint, one) => sum + integer(one), 0n),
  b64enc: (value) => Buffer.from(text(value)).toString('base64'),
  contains: (part, whole) => text(whole).includes(text(part)),
  deepCopy: copy,
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  dict: (...pairs) => {
    const made: Record<string, Value> = {};
    for (let i = 0; i < pairs.length; i += 2) made[text(pairs[i])] = pairs[i + 1];
    return made;
  },
  div: (left, right) => integer(left) / integer(right),
  eq: equal,
  fail: (reason) => {
    throw new Error(text(reason));
  },
  fromYaml: (value) => parse(text(value), { version: '1.1' }) as Value,
  hasKey: (one, key) => Object.hasOwn(map(one), text(key)),
  index: (one, key) => map(one)[text(key)],
  int: integer,
  kindIs: (kind, value) => kindOf(value) === kind,
  list: (...values) => values,
  mergeOverwrite: (into, over) => merge(map(into), map(over)),
  ne: (left, right) => !equal(left, right),
  nindent: (width, value) => `\n${indent(width, value)}`,
  not: (value) => !isTrue(value),
  printf,
  quote: (value) => (value === null || value === undefined ? '' : JSON.stringify(print(value))),
  replace: (from, to, whole) => text(whole).replaceAll(text(from), text(to)),
  required: (reason, value) => {
    if (value === null || value === undefined || value === '') throw new Error(text(reason));
    return value;
  },
  set: (one, key, value) => {
    map(one)[text(key)] = value;
    return one;
  },
  sha256sum: (value) => createHash('sha256').update(text(value)).digest('hex'),
  ternary: (yes, no, condition) => (condition === true ? yes : no),
  toJson,
  toString: print,
  toYaml,
  trimSuffix: (suffix, whole) =>
    text(whole).endsWith(text(suffix))
      ? text(whole).slice(0, text(whole).length - text(suffix).length)
      : whole,
  trunc: (length, whole) => text(whole).slice(0, Number(length)),
};
