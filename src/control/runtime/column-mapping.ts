/** One column of a table and one field of what the configuration holds: each way, and what is wrong with a value. */

import type { SqlValue } from '../../common/admin-tables/admin-table.ts';

/** A value that its column cannot have; the message is a sentence about the value alone. */
export class ValueError extends Error {}

export interface ColumnMapping {
  /** Of the configuration's element. */
  readonly field: string;
  /** What the table shows; the element, where other fields of it are shown in the same column. */
  write(value: unknown, element: Readonly<Record<string, unknown>>): SqlValue;
  /** What the schema is to check. @throws ValueError */
  read(value: SqlValue): unknown;
}

const INTEGER = /^[+-]?\d{1,15}$/;
const MAX_SHOWN = 60;

function shown(value: SqlValue): string {
  return value === null ? 'NULL' : JSON.stringify(String(value).slice(0, MAX_SHOWN));
}

/** Tools send numbers as texts as well; a column of type INT has made numbers of those already. */
export function integerOf(value: SqlValue): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && INTEGER.test(value.trim())) return Number(value.trim());
  throw new ValueError(`expected a whole number, found ${shown(value)}`);
}

export function textOf(value: SqlValue): string {
  if (value === null) throw new ValueError('expected text, found NULL');
  return String(value);
}

function switchOf(value: SqlValue): boolean {
  const number = integerOf(value);
  if (number === 0 || number === 1) return number === 1;
  throw new ValueError(`expected 0 or 1, found ${shown(value)}`);
}

/** Null, and what tools write for it. */
function isNothing(value: SqlValue): boolean {
  return value === null || value === '';
}

export function integer(field: string): ColumnMapping {
  return { field, write: (value) => value as number, read: integerOf };
}

export function optionalInteger(field: string): ColumnMapping {
  return {
    field,
    write: (value) => value as number | null,
    read: (value) => (isNothing(value) ? null : integerOf(value)),
  };
}

/** NULL is the empty text. */
export function text(field: string): ColumnMapping {
  return {
    field,
    write: (value) => value as string,
    read: (value) => (value === null ? '' : textOf(value)),
  };
}

/** Names in capitals, however they were written. */
export function word(field: string): ColumnMapping {
  return { field, write: (value) => value as string, read: (value) => textOf(value).toUpperCase() };
}

/** The empty text is NULL. */
export function optionalText(field: string): ColumnMapping {
  return {
    field,
    write: (value) => value as string | null,
    read: (value) => (isNothing(value) ? null : textOf(value)),
  };
}

export function flag(field: string): ColumnMapping {
  return { field, write: (value) => (value === true ? 1 : 0), read: switchOf };
}

export function optionalFlag(field: string): ColumnMapping {
  return {
    field,
    write: (value) => (value === null ? null : value === true ? 1 : 0),
    read: (value) => (isNothing(value) ? null : switchOf(value)),
  };
}

/** A list or mapping as JSON; the empty text for an empty one. */
export function json(
  field: string,
  empty: readonly unknown[] | Readonly<Record<string, never>>,
): ColumnMapping {
  const nothing = JSON.stringify(empty);
  return {
    field,
    write: (value) => {
      const text = JSON.stringify(value);
      return text === nothing ? '' : text;
    },
    read: (value) => {
      if (isNothing(value)) return empty;
      try {
        return JSON.parse(textOf(value)) as unknown;
      } catch {
        throw new ValueError('expected JSON');
      }
    },
  };
}
