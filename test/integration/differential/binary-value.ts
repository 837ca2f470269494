/** Parameters of COM_STMT_EXECUTE, of every type, as a client puts them on the wire. */

import { z } from 'zod';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html */
const FieldType: Readonly<Record<string, number>> = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyblob: 249,
  mediumblob: 250,
  longblob: 251,
  blob: 252,
  varstring: 253,
  string: 254,
  geometry: 255,
};
const INTEGER_BYTES: Readonly<Record<string, number>> = {
  tiny: 1,
  short: 2,
  year: 2,
  long: 4,
  int24: 4,
  longlong: 8,
};
const UNSIGNED_FLAG = 0x80;

const scalar = z.union([z.string(), z.number(), z.null()]);
const special = z.union([
  /** The bytes of the value as they go on the wire, its own length included. */
  z.strictObject({ raw: z.string().regex(/^([0-9a-f]{2})*$/) }),
  /** Bytes of a string. */
  z.strictObject({ hex: z.string().regex(/^([0-9a-f]{2})*$/) }),
  z.strictObject({ repeat: z.string(), times: z.number().int() }),
]);
/** `[type, value]`, where the type may be followed by ` unsigned` or be a number; a bare value has its usual type. */
export const parameterSchema = z.union([scalar, z.tuple([z.string(), z.union([scalar, special])])]);
export type Parameter = z.output<typeof parameterSchema>;

export interface EncodedParameter {
  /** Type and flag byte. */
  readonly type: readonly [number, number];
  /** Null: the bit in the bitmap is set and there are no bytes. */
  readonly bytes: Buffer | null;
}

export function encodeParameter(parameter: Parameter): EncodedParameter {
  const [name, value] = Array.isArray(parameter) ? parameter : usualType(parameter);
  const [typeName = '', sign] = name.split(' ');
  const code = FieldType[typeName] ?? Number(typeName);
  if (Number.isNaN(code)) throw new Error(`a parameter type that nobody knows: ${name}`);
  const type = [code, sign === 'unsigned' ? UNSIGNED_FLAG : 0] as const;
  return { type, bytes: value === null ? null : encodeValue(typeName, value) };
}

function usualType(value: string | number | null): [string, string | number | null] {
  if (value === null) return ['null', null];
  if (typeof value === 'string') return ['varstring', value];
  return [Number.isInteger(value) ? 'longlong' : 'double', value];
}

function encodeValue(typeName: string, value: string | number | z.output<typeof special>): Buffer {
  if (typeof value === 'object') {
    if ('raw' in value) return Buffer.from(value.raw, 'hex');
    if ('hex' in value) return lenenc(Buffer.from(value.hex, 'hex'));
    return lenenc(Buffer.from(value.repeat.repeat(value.times)));
  }
  const integerBytes = INTEGER_BYTES[typeName];
  if (integerBytes !== undefined) return integer(value, integerBytes);
  if (typeName === 'float' || typeName === 'double') return real(Number(value), typeName);
  if (typeName === 'time') return time(String(value));
  if (['date', 'datetime', 'timestamp'].includes(typeName)) return dateTime(String(value));
  return lenenc(Buffer.from(String(value)));
}

function integer(value: string | number, byteCount: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes.subarray(0, byteCount);
}

function real(value: number, typeName: 'float' | 'double'): Buffer {
  const bytes = Buffer.alloc(typeName === 'float' ? 4 : 8);
  if (typeName === 'float') bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}

/** `2024-02-29`, `2024-02-29 12:34:56` or with microseconds: as many parts as are given are sent; nothing for ''. */
function dateTime(text: string): Buffer {
  if (text === '') return Buffer.from([0]);
  const [date = '', clock, fraction] = text.split(/[ .]/);
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const head = [year & 0xff, year >> 8, month, day];
  if (clock === undefined) return Buffer.from([4, ...head]);
  const parts = [...head, ...clock.split(':').map(Number)];
  if (fraction === undefined) return Buffer.from([7, ...parts]);
  return Buffer.concat([Buffer.from([11, ...parts]), int32(Number(fraction.padEnd(6, '0')))]);
}

/** `-34 22:59:59.5`: sign, days, clock, microseconds; days and microseconds may be left out. Nothing for ''. */
function time(text: string): Buffer {
  if (text === '') return Buffer.from([0]);
  const match = /^(-?)(?:(\d+) )?(\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new Error(`not a time: ${text}`);
  const [, sign, days, hours, minutes, seconds, fraction] = match;
  const head = Buffer.concat([
    Buffer.from([sign === '-' ? 1 : 0]),
    int32(Number(days ?? 0)),
    Buffer.from([Number(hours), Number(minutes), Number(seconds)]),
  ]);
  if (fraction === undefined) return Buffer.concat([Buffer.from([8]), head]);
  return Buffer.concat([Buffer.from([12]), head, int32(Number(fraction.padEnd(6, '0')))]);
}

function lenenc(bytes: Buffer): Buffer {
  const size = bytes.length;
  if (size < 251) return Buffer.concat([Buffer.from([size]), bytes]);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(size);
  if (size < 65_536) return Buffer.concat([Buffer.from([0xfc]), head.subarray(0, 2), bytes]);
  if (size < 1 << 24) return Buffer.concat([Buffer.from([0xfd]), head.subarray(0, 3), bytes]);
  return Buffer.concat([Buffer.from([0xfe]), head, Buffer.alloc(4), bytes]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
