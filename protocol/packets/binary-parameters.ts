/** The block of parameters that COM_STMT_EXECUTE and COM_QUERY (query attributes) share. */

import type { BufferReader } from '../encoding/buffer-reader.ts';
import type { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { type BinaryType, type BinaryValue, readBinaryValue, writeBinaryValue } from './binary-value.ts';
import { readNullBitmap, writeNullBitmap } from './null-bitmap.ts';

/** The type with a name, which only CLIENT_QUERY_ATTRIBUTES brings (else ''). */
export interface ParameterType extends BinaryType {
  readonly name: string;
}

const UNSIGNED_FLAG = 0x8000;
/** Every parameter takes at least a type of two bytes or, without types, a bit of the NULL bitmap. */
const PARAMETERS_PER_BYTE = 8;

export interface BinaryParameters {
  /** Whether the packet brought types, or those of the last execution hold. */
  readonly typesSent: boolean;
  readonly types: readonly ParameterType[];
  /** undefined where the value was sent before, by COM_STMT_SEND_LONG_DATA. */
  readonly values: readonly (BinaryValue | undefined)[];
}

export interface ParameterContext {
  readonly count: number;
  /** Names come with the types. */
  readonly named: boolean;
  readonly knownTypes: readonly ParameterType[] | null;
  readonly longData: ReadonlySet<number>;
}

export function readBinaryParameters(reader: BufferReader, context: ParameterContext): BinaryParameters {
  const { count, named, knownTypes, longData } = context;
  // Checked before anything is allocated: the count may be a client's invention.
  if (count > reader.remaining * PARAMETERS_PER_BYTE) {
    throw new MalformedPacketError('parameter count', reader.offset);
  }
  const nulls = readNullBitmap(reader, count, 0);
  const typesSent = reader.readU8('new parameters flag') === 1;
  const types = typesSent ? readTypes(reader, count, named) : (knownTypes ?? []);
  if (types.length !== count) throw new MalformedPacketError('parameter types', reader.offset);
  const values = types.map((type, index) => {
    if (nulls[index]!) return null;
    return longData.has(index) ? undefined : readBinaryValue(reader, type);
  });
  return { typesSent, types, values };
}

export function writeBinaryParameters(
  writer: BufferWriter,
  { typesSent, types, values }: BinaryParameters,
  named: boolean,
): void {
  writeNullBitmap(
    writer,
    values.map((value) => value === null),
    0,
  );
  writer.writeU8(typesSent ? 1 : 0);
  if (typesSent) {
    for (const { type, unsigned, name } of types) {
      writer.writeU16(unsigned ? type | UNSIGNED_FLAG : type);
      if (named) writer.writeLenencString(name);
    }
  }
  types.forEach((type, index) => {
    const value = values[index];
    if (value !== null && value !== undefined) writeBinaryValue(writer, type, value);
  });
}

function readTypes(reader: BufferReader, count: number, named: boolean): ParameterType[] {
  const types: ParameterType[] = [];
  for (let index = 0; index < count; index += 1) {
    const code = reader.readU16('parameter type');
    const name = named ? reader.readLenencString('parameter name') : '';
    types.push({ type: code & 0xff, unsigned: (code & UNSIGNED_FLAG) !== 0, name });
  }
  return types;
}
