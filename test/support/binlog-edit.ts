/** Changes events in a binlog file of a server that is stopped, as a broken disk or another version would. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BINLOG_CHECKSUM_BYTES, decodeEventHeader } from '../../protocol/index.ts';
import type { DatabaseServer } from './database-server.ts';

const MAGIC_BYTES = 4;

/** All bytes of one event, its checksum included. */
export interface FileEvent {
  readonly eventType: number;
  readonly bytes: Buffer;
}

/** @param edit what stands in the file instead of its events. The server does not look at the places that they name. */
export async function editBinlog(
  { dataDir, running }: DatabaseServer,
  file: string,
  edit: (events: readonly FileEvent[]) => readonly FileEvent[],
): Promise<void> {
  if (running) throw new Error('the server runs');
  const path = join(dataDir, file);
  const bytes = await readFile(path);
  const events: FileEvent[] = [];
  for (let at = MAGIC_BYTES; at < bytes.length; ) {
    const { eventType, eventBytes } = decodeEventHeader(bytes.subarray(at));
    events.push({ eventType, bytes: Buffer.from(bytes.subarray(at, at + eventBytes)) });
    at += eventBytes;
  }
  const edited = edit(events).map((event) => event.bytes);
  await writeFile(path, Buffer.concat([bytes.subarray(0, MAGIC_BYTES), ...edited]));
}

/** The same event with another type or body, and a checksum that is right for it. */
export function altered(event: FileEvent, change: (bytes: Buffer) => void): FileEvent {
  const bytes = Buffer.from(event.bytes);
  change(bytes);
  const end = bytes.length - BINLOG_CHECKSUM_BYTES;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return { eventType: bytes[4]!, bytes };
}
