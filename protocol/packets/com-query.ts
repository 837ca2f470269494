import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { Command } from '../constants/commands.ts';
import type { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { type ParameterType, readBinaryParameters, writeBinaryParameters } from './binary-parameters.ts';
import type { BinaryValue } from './binary-value.ts';
import { readCommand } from './com-header.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
export interface ComQuery {
  /** Empty without CLIENT_QUERY_ATTRIBUTES. */
  readonly attributes: readonly QueryAttribute[];
  /** In the client's character set; a view when decoded. */
  readonly query: Buffer;
}

export interface QueryAttribute {
  readonly type: ParameterType;
  readonly value: BinaryValue;
}

const NO_LONG_DATA: ReadonlySet<number> = new Set();

export function decodeComQuery(view: Buffer, capabilities: number): ComQuery {
  const reader = readCommand(view, Command.COM_QUERY);
  const attributes = hasCapability(capabilities, Capability.CLIENT_QUERY_ATTRIBUTES)
    ? readAttributes(reader)
    : [];
  return { attributes, query: reader.readRest() };
}

/** Where the statement begins in a COM_QUERY payload: 1 unless query attributes are in front of it. */
export function comQueryTextOffset(view: Buffer, capabilities: number): number {
  if (!hasCapability(capabilities, Capability.CLIENT_QUERY_ATTRIBUTES)) return 1;
  // No attributes in one parameter set: what nearly every client sends.
  if (view.length >= 3 && view[1] === 0 && view[2] === 1) return 3;
  const reader = readCommand(view, Command.COM_QUERY);
  readAttributes(reader);
  return reader.offset;
}

export function encodeComQuery(
  value: { readonly attributes?: readonly QueryAttribute[]; readonly query: Uint8Array | string },
  capabilities: number,
): Buffer {
  const { attributes = [], query } = value;
  const writer = new BufferWriter(16 + query.length).writeU8(Command.COM_QUERY);
  if (hasCapability(capabilities, Capability.CLIENT_QUERY_ATTRIBUTES)) {
    writer.writeLenenc(attributes.length).writeLenenc(1);
    if (attributes.length > 0) {
      const types = attributes.map(({ type }) => type);
      const values = attributes.map((attribute) => attribute.value);
      writeBinaryParameters(writer, { typesSent: true, types, values }, true);
    }
  }
  return (typeof query === 'string' ? writer.writeString(query) : writer.writeBytes(query)).take();
}

function readAttributes(reader: BufferReader): QueryAttribute[] {
  const count = reader.readLenencNumber('attribute count');
  const setsOffset = reader.offset;
  if (reader.readLenencNumber('parameter set count') !== 1) {
    throw new MalformedPacketError('parameter set count (1 is needed)', setsOffset);
  }
  if (count === 0) return [];
  const { types, values } = readBinaryParameters(reader, {
    count,
    named: true,
    knownTypes: null,
    longData: NO_LONG_DATA,
  });
  return types.map((type, index) => ({ type, value: values[index] ?? null }));
}
