import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
 * https://mariadb.com/kb/en/result-set-packets/#column-definition-packet (extended metadata)
 *
 * Names are decoded as UTF-8, whatever `character_set_results` is; definitions of servers are passed on as bytes.
 */
export interface ColumnDefinition41 {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  readonly orgTable: string;
  readonly name: string;
  readonly orgName: string;
  /** MariaDB's data type name or format, e.g. `inet6`, `json`; empty without. */
  readonly extendedMetadata: readonly ExtendedMetadata[];
  readonly collationId: number;
  /** Greatest width in bytes, as the server estimates it. */
  readonly columnLength: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
  /** Only in answers to COM_FIELD_LIST: null is NULL, undefined is none. */
  readonly defaultValue: Buffer | null | undefined;
}

export interface ExtendedMetadata {
  /** 0: type name, 1: format name */
  readonly kind: number;
  readonly value: string;
}

export interface ColumnDefinitionOptions {
  /** MARIADB_CLIENT_EXTENDED_METADATA is negotiated. */
  readonly extendedMetadata?: boolean;
}

const FIXED_PART_BYTES = 12;
const NULL_VALUE = 0xfb;

/** `defaultValue` is a view. */
export function decodeColumnDefinition41(
  view: Buffer,
  options: ColumnDefinitionOptions = {},
): ColumnDefinition41 {
  const reader = new BufferReader(view);
  const catalog = reader.readLenencString('catalog');
  const schema = reader.readLenencString('schema');
  const table = reader.readLenencString('table');
  const orgTable = reader.readLenencString('original table');
  const name = reader.readLenencString('name');
  const orgName = reader.readLenencString('original name');
  const extendedMetadata = options.extendedMetadata === true ? readExtendedMetadata(reader) : [];
  const fixed = new BufferReader(reader.readLenencBytes('fixed-length fields'));
  const collationId = fixed.readU16('collation');
  const columnLength = fixed.readU32('column length');
  const type = fixed.readU8('type');
  const flags = fixed.readU16('flags');
  const decimals = fixed.readU8('decimals');
  let defaultValue: Buffer | null | undefined;
  if (reader.remaining > 0) defaultValue = readDefaultValue(reader);
  return {
    catalog,
    schema,
    table,
    orgTable,
    name,
    orgName,
    extendedMetadata,
    collationId,
    columnLength,
    type,
    flags,
    decimals,
    defaultValue,
  };
}

export function encodeColumnDefinition41(
  value: ColumnDefinition41,
  options: ColumnDefinitionOptions = {},
): Buffer {
  const writer = new BufferWriter()
    .writeLenencString(value.catalog)
    .writeLenencString(value.schema)
    .writeLenencString(value.table)
    .writeLenencString(value.orgTable)
    .writeLenencString(value.name)
    .writeLenencString(value.orgName);
  if (options.extendedMetadata === true) {
    const entries = new BufferWriter();
    for (const entry of value.extendedMetadata) entries.writeU8(entry.kind).writeLenencString(entry.value);
    writer.writeLenencBytes(entries.take());
  }
  writer
    .writeLenenc(FIXED_PART_BYTES)
    .writeU16(value.collationId)
    .writeU32(value.columnLength)
    .writeU8(value.type)
    .writeU16(value.flags)
    .writeU8(value.decimals)
    .writeU16(0);
  if (value.defaultValue === null) writer.writeU8(NULL_VALUE);
  else if (value.defaultValue !== undefined) writer.writeLenencBytes(value.defaultValue);
  return writer.take();
}

function readExtendedMetadata(reader: BufferReader): ExtendedMetadata[] {
  const entries: ExtendedMetadata[] = [];
  const list = new BufferReader(reader.readLenencBytes('extended metadata'));
  while (list.remaining > 0) {
    const kind = list.readU8('extended metadata kind');
    entries.push({ kind, value: list.readLenencString('extended metadata value') });
  }
  return entries;
}

function readDefaultValue(reader: BufferReader): Buffer | null {
  if (reader.peekU8() !== NULL_VALUE) return reader.readLenencBytes('default value');
  reader.skip(1);
  return null;
}
