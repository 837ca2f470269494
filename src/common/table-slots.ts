/**
 * Tables as numbers: what shared memory keeps of a table (the last GTID that changed it) lies in the slot of its name.
 * Two tables may share a slot; then what is said of one holds for both, which costs time and is never wrong.
 */

import { mixedBits } from './mixed-bits.ts';

const SLOT_BITS = 16;
export const TABLE_SLOTS = 1 << SLOT_BITS;

const FIRST = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
const DOT = 0x2e;
const CAPITAL_A = 0x41;
const CAPITAL_Z = 0x5a;
const LAST_ASCII = 0x7f;
/** `İ`: servers make an ASCII letter of it, JavaScript two characters. */
const DOTTED_CAPITAL_I = 0x130;
const SMALL_I = 0x69;

/**
 * The slot of a table, from 0 to `TABLE_SLOTS - 1`; the same in all threads and processes. Names that differ in case
 * alone have the same slot, since with `lower_case_table_names` they may be the same table.
 */
export function tableSlot(schema: string, table: string): number {
  return tableHash(schema, table) & (TABLE_SLOTS - 1);
}

/** The same with all of its 32 bits. */
export function tableHash(schema: string, table: string): number {
  let hash = Math.imul(addName(FIRST, schema) ^ DOT, PRIME);
  hash = addName(hash, table);
  return mixedBits(hash) | 0;
}

function addName(before: number, name: string): number {
  let hash = before;
  for (let i = 0; i < name.length; i++) {
    let unit = name.charCodeAt(i);
    if (unit >= CAPITAL_A && unit <= CAPITAL_Z) unit |= 0x20;
    else if (unit > LAST_ASCII) unit = lowerUnit(unit);
    hash = Math.imul(hash ^ unit, PRIME);
  }
  return hash;
}

/** Servers fold names character by character, and those beyond the basic plane not at all. */
function lowerUnit(unit: number): number {
  if (unit === DOTTED_CAPITAL_I) return SMALL_I;
  const lower = String.fromCharCode(unit).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : unit;
}
