/** The row images that a server has written to its binlog, read from its file. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BINLOG_CHECKSUM_BYTES,
  BINLOG_EVENT_HEADER_BYTES,
  BinlogEventType,
  decodeEventHeader,
  decodeRowsHeader,
  decodeTableMap,
  inflateBinlogBytes,
  isRowsEvent,
  type RowsHeader,
  type TableMap,
} from '../../../protocol/index.ts';
import type { DatabaseServer } from '../../support/database-server.ts';

export interface RowsOfTable {
  readonly map: TableMap;
  readonly header: RowsHeader;
  readonly eventType: number;
  /** Behind the event's header. */
  readonly body: Buffer;
  readonly rows: Buffer;
}

export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

export async function binlogPlace(server: DatabaseServer): Promise<BinlogPlace> {
  const [row] = await server.query<{ File: string; Position: number }>('SHOW MASTER STATUS');
  return { file: row!.File, position: Number(row!.Position) };
}

/** All rows events behind `from`, up to now. */
export async function rowsSince(server: DatabaseServer, from: BinlogPlace): Promise<readonly RowsOfTable[]> {
  const bytes = await readFile(join(server.dataDir, from.file));
  const maps = new Map<number, TableMap>();
  const found: RowsOfTable[] = [];
  for (let at = from.position; at < bytes.length; ) {
    const header = decodeEventHeader(bytes.subarray(at));
    const end = at + header.eventBytes - BINLOG_CHECKSUM_BYTES;
    const body = bytes.subarray(at + BINLOG_EVENT_HEADER_BYTES, end);
    if (header.eventType === BinlogEventType.TABLE_MAP_EVENT) {
      const map = decodeTableMap(body);
      maps.set(map.tableId, map);
    } else if (isRowsEvent(header.eventType)) {
      const rows = decodeRowsHeader(header.eventType, body);
      const packed = body.subarray(rows.rowsOffset);
      found.push({
        map: maps.get(rows.tableId)!,
        header: rows,
        eventType: header.eventType,
        body,
        rows: rows.isCompressed ? inflateBinlogBytes(packed, 2 ** 24) : packed,
      });
    }
    at += header.eventBytes;
  }
  return found;
}
