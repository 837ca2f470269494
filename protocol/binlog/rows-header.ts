import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import { readU32 } from './event-header.ts';
import { BinlogEventType } from './event-type.ts';
import { readTableId } from './table-map.ts';

/**
 * Everything of a rows event but its rows.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html
 */
export interface RowsHeader {
  readonly operation: RowsOperation;
  readonly tableId: number;
  /** It is the last event of its statement: no table number is valid behind it. */
  readonly endsStatement: boolean;
  readonly columns: number;
  /** Which columns the images have, bit by bit, lowest first: of rows inserted or deleted, or before an update. A view. */
  readonly columnsBefore: Buffer;
  /** Of the images after an update; otherwise the same as `columnsBefore`. A view. */
  readonly columnsAfter: Buffer;
  /** The images begin here in the body. With `isCompressed` they are to be inflated first (`inflateBinlogBytes`). */
  readonly rowsOffset: number;
  readonly isCompressed: boolean;
  /** In front of each image after an update stands which JSON columns have only their changes (MySQL 8). */
  readonly isPartial: boolean;
}

export const RowsOperation = { write: 'write', update: 'update', delete: 'delete' } as const;
export type RowsOperation = (typeof RowsOperation)[keyof typeof RowsOperation];

const STMT_END_F = 1;
const MAX_COLUMNS = 4096;

interface Kind {
  readonly operation: RowsOperation;
  /** Version 2: more data may stand in front of the number of columns. */
  readonly hasExtraData: boolean;
  readonly isCompressed: boolean;
  readonly isPartial: boolean;
}

function kind(
  operation: RowsOperation,
  hasExtraData: boolean,
  isCompressed = false,
  isPartial = false,
): Kind {
  return { operation, hasExtraData, isCompressed, isPartial };
}

const { write, update, delete: remove } = RowsOperation;

const KINDS: ReadonlyMap<number, Kind> = new Map([
  [BinlogEventType.PRE_GA_WRITE_ROWS_EVENT, kind(write, false)],
  [BinlogEventType.PRE_GA_UPDATE_ROWS_EVENT, kind(update, false)],
  [BinlogEventType.PRE_GA_DELETE_ROWS_EVENT, kind(remove, false)],
  [BinlogEventType.WRITE_ROWS_EVENT_V1, kind(write, false)],
  [BinlogEventType.UPDATE_ROWS_EVENT_V1, kind(update, false)],
  [BinlogEventType.DELETE_ROWS_EVENT_V1, kind(remove, false)],
  [BinlogEventType.WRITE_ROWS_EVENT, kind(write, true)],
  [BinlogEventType.UPDATE_ROWS_EVENT, kind(update, true)],
  [BinlogEventType.DELETE_ROWS_EVENT, kind(remove, true)],
  [BinlogEventType.PARTIAL_UPDATE_ROWS_EVENT, kind(update, true, false, true)],
  [BinlogEventType.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, kind(write, false, true)],
  [BinlogEventType.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1, kind(update, false, true)],
  [BinlogEventType.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1, kind(remove, false, true)],
  [BinlogEventType.MARIADB_WRITE_ROWS_COMPRESSED_EVENT, kind(write, true, true)],
  [BinlogEventType.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT, kind(update, true, true)],
  [BinlogEventType.MARIADB_DELETE_ROWS_COMPRESSED_EVENT, kind(remove, true, true)],
]);

const IS_ROWS = Uint8Array.from({ length: 256 }, (_, type) => (KINDS.has(type) ? 1 : 0));

export function isRowsEvent(eventType: number): boolean {
  return IS_ROWS[eventType] === 1;
}

/** The table's number alone, without anything being allocated. The body is `bytes[start, end)`. */
export function rowsTableId(bytes: Buffer, tableIdBytes = 6, start = 0, end = bytes.length): number {
  if (end - start < tableIdBytes) throw new MalformedPacketError('table id', 0);
  const low = readU32(bytes, start);
  return tableIdBytes === 4 ? low : low + (bytes[start + 4]! | (bytes[start + 5]! << 8)) * 2 ** 32;
}

/** As `RowsHeader.endsStatement`, without anything being allocated. */
export function endsStatement(body: Buffer, tableIdBytes = 6): boolean {
  const flags = body[tableIdBytes];
  if (flags === undefined) throw new MalformedPacketError('flags', tableIdBytes);
  return (flags & STMT_END_F) !== 0;
}

/** @param body behind the event's header, without a checksum; its end may be missing if the rows are not wanted. */
export function decodeRowsHeader(eventType: number, body: Buffer, tableIdBytes = 6): RowsHeader {
  const found = KINDS.get(eventType);
  if (found === undefined) throw new MalformedPacketError(`event type ${eventType} has no rows`, 0);
  const { operation, hasExtraData, isCompressed, isPartial } = found;
  const reader = new BufferReader(body);
  const tableId = readTableId(reader, tableIdBytes);
  const flags = reader.readU16('flags');
  if (hasExtraData) {
    const bytes = reader.readU16('extra data');
    if (bytes < 2) throw new MalformedPacketError('extra data', reader.offset - 2);
    reader.skip(bytes - 2, 'extra data');
  }
  const columns = reader.readLenencNumber('number of columns');
  if (columns > MAX_COLUMNS) throw new MalformedPacketError(`${columns} columns`, reader.offset);
  const bitmapBytes = (columns + 7) >>> 3;
  const columnsBefore = reader.readBytes(bitmapBytes, 'columns');
  const columnsAfter = operation === update ? reader.readBytes(bitmapBytes, 'columns') : columnsBefore;
  return {
    operation,
    tableId,
    endsStatement: (flags & STMT_END_F) !== 0,
    columns,
    columnsBefore,
    columnsAfter,
    rowsOffset: reader.offset,
    isCompressed,
    isPartial,
  };
}
