import { BufferReader } from '../encoding/buffer-reader.ts';
import type { BufferWriter } from '../encoding/buffer-writer.ts';
import { lenencSize } from '../encoding/lenenc.ts';

/**
 * The list of connection attributes in HandshakeResponse41 and COM_CHANGE_USER: its length in bytes, then pairs of
 * string<lenenc>. A key sent twice keeps its last value.
 */
export type ConnectAttributes = Readonly<Record<string, string>>;

export function readConnectAttributes(reader: BufferReader): ConnectAttributes {
  const list = new BufferReader(reader.readLenencBytes('connection attributes'));
  // Keys come from the client: without a prototype, '__proto__' is a key like any other.
  const attributes: Record<string, string> = Object.create(null);
  while (list.remaining > 0) {
    const key = list.readLenencString('attribute name');
    attributes[key] = list.readLenencString('attribute value');
  }
  return attributes;
}

export function writeConnectAttributes(writer: BufferWriter, attributes: ConnectAttributes): void {
  let size = 0;
  for (const [key, value] of Object.entries(attributes))
    size += lenencStringSize(key) + lenencStringSize(value);
  writer.writeLenenc(size);
  for (const [key, value] of Object.entries(attributes))
    writer.writeLenencString(key).writeLenencString(value);
}

function lenencStringSize(text: string): number {
  const bytes = Buffer.byteLength(text);
  return lenencSize(bytes) + bytes;
}
