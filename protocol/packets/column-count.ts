import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';

/**
 * The head of a result set.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 * https://mariadb.com/kb/en/result-set-packets/ (MARIADB_CLIENT_CACHE_METADATA)
 */
export interface ColumnCount {
  readonly columnCount: number;
  /** Whether column definitions follow; always, unless the client negotiated that they may be left out. */
  readonly metadataFollows: boolean;
}

export interface ColumnCountOptions {
  /** MARIADB_CLIENT_CACHE_METADATA is negotiated. */
  readonly cacheMetadata?: boolean;
}

export function decodeColumnCount(
  view: Buffer,
  capabilities: number,
  options: ColumnCountOptions = {},
): ColumnCount {
  const reader = new BufferReader(view);
  let metadataFollows = true;
  if (hasCapability(capabilities, Capability.CLIENT_OPTIONAL_RESULTSET_METADATA)) {
    metadataFollows = reader.readU8('metadata follows') !== 0;
  }
  const columnCount = reader.readLenencNumber('column count');
  if (options.cacheMetadata === true) metadataFollows = reader.readU8('metadata follows') !== 0;
  return { columnCount, metadataFollows };
}

export function encodeColumnCount(
  value: ColumnCount,
  capabilities: number,
  options: ColumnCountOptions = {},
): Buffer {
  const writer = new BufferWriter(16);
  if (hasCapability(capabilities, Capability.CLIENT_OPTIONAL_RESULTSET_METADATA)) {
    writer.writeU8(value.metadataFollows ? 1 : 0);
  }
  writer.writeLenenc(value.columnCount);
  if (options.cacheMetadata === true) writer.writeU8(value.metadataFollows ? 1 : 0);
  return writer.take();
}
