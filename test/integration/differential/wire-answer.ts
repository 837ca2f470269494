import { createHash } from 'node:crypto';
import type { WireClient } from './wire-client.ts';
import { ServerStatus } from './wire-constants.ts';
import { WireReader } from './wire-reader.ts';
import { decodeColumn, decodeEof, decodeErr, decodeOk, decodeRow, type WireRecord } from './wire-record.ts';

/** Rows of one result set that are kept one by one; the rest is counted and hashed. */
const MAX_ROW_RECORDS = 300;

export interface AnswerOptions {
  /** Sent when the server asks for a LOCAL file; an empty file unless given. */
  readonly localData?: Buffer | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Reads a whole answer: every result set up to the packet without SERVER_MORE_RESULTS_EXISTS, or an ERR. */
export async function readAnswer(client: WireClient, options: AnswerOptions = {}): Promise<WireRecord[]> {
  const records: WireRecord[] = [];
  for (;;) {
    const more = await readResult(client, options, records);
    if (!more) return records;
  }
}

async function readResult(
  client: WireClient,
  options: AnswerOptions,
  records: WireRecord[],
): Promise<boolean> {
  const { payload } = await client.socket.receive(options.timeoutMs);
  const first = payload[0];
  if (first === 0xff) {
    records.push(decodeErr(payload));
    return false;
  }
  if (first === 0x00) return pushEnd(decodeOk(payload, client.sessionTrack), records);
  if (first === 0xfe && payload.length < 9) return pushEnd(decodeEof(payload), records);
  if (first === 0xfb) return sendLocalFile(client, payload, options, records);
  const count = Number(new WireReader(payload).lenencInt());
  records.push({ kind: 'column-count', fields: { count } });
  if (!(await readColumns(client, count, records, options))) return false;
  if (client.deprecateEof) return readRows(client, options, records);
  const { payload: behindColumns } = await client.socket.receive(options.timeoutMs);
  if (behindColumns[0] === 0xff) {
    records.push(decodeErr(behindColumns));
    return false;
  }
  const metadataEnd = decodeEof(behindColumns);
  records.push({ ...metadataEnd, kind: 'metadata-eof' });
  const status = Number(metadataEnd.fields.status);
  if ((status & ServerStatus.cursorExists) !== 0) return false;
  const more = await readRows(client, options, records);
  // MySQL 5.7 leaves SERVER_MORE_RESULTS_EXISTS out of the EOF after OUT parameters, though an OK follows.
  return more || (status & ServerStatus.psOutParams) !== 0;
}

/** False when an ERR comes in place of a definition: the answer is over. */
export async function readColumns(
  client: WireClient,
  count: number,
  records: WireRecord[],
  options: AnswerOptions = {},
): Promise<boolean> {
  for (let column = 0; column < count; column++) {
    const { payload } = await client.socket.receive(options.timeoutMs);
    if (payload[0] === 0xff) {
      records.push(decodeErr(payload));
      return false;
    }
    records.push(decodeColumn(payload, false, client.extendedMetadata));
  }
  return true;
}

/** Rows up to what ends them; true when another result follows. */
export async function readRows(
  client: WireClient,
  options: AnswerOptions,
  records: WireRecord[],
): Promise<boolean> {
  const rest = createHash('sha1');
  let rows = 0;
  for (;;) {
    const { payload } = await client.socket.receive(options.timeoutMs);
    const end = decodeRowsEnd(client, payload);
    if (end !== null) {
      if (rows > MAX_ROW_RECORDS)
        records.push({ kind: 'more-rows', fields: { rows, sha1: rest.digest('hex') } });
      return pushEnd(end, records);
    }
    rows++;
    if (rows <= MAX_ROW_RECORDS) records.push(decodeRow(payload));
    else rest.update(payload);
  }
}

function decodeRowsEnd(client: WireClient, payload: Buffer): WireRecord | null {
  if (payload[0] === 0xff) return decodeErr(payload);
  if (payload[0] !== 0xfe) return null;
  if (client.deprecateEof) return payload.length < 0xffffff ? decodeOk(payload, client.sessionTrack) : null;
  return payload.length < 9 ? decodeEof(payload) : null;
}

function pushEnd(end: WireRecord, records: WireRecord[]): boolean {
  records.push(end);
  return (Number(end.fields.status ?? 0) & ServerStatus.moreResultsExist) !== 0;
}

async function sendLocalFile(
  client: WireClient,
  request: Buffer,
  options: AnswerOptions,
  records: WireRecord[],
): Promise<boolean> {
  records.push({ kind: 'local-infile', fields: { file: request.toString('latin1', 1) } });
  const data = options.localData ?? Buffer.alloc(0);
  const chunkBytes = 65_536;
  for (let offset = 0; offset < data.length; offset += chunkBytes) {
    client.socket.send(data.subarray(offset, offset + chunkBytes));
  }
  client.socket.send(Buffer.alloc(0));
  return readResult(client, options, records);
}

/** COM_FIELD_LIST: definitions with defaults, without a count in front. */
export async function readFieldList(client: WireClient): Promise<WireRecord[]> {
  const records: WireRecord[] = [];
  for (;;) {
    const { payload } = await client.socket.receive();
    if (payload[0] === 0xff) return [...records, decodeErr(payload)];
    if (payload[0] === 0xfe && payload.length < 9) {
      const end =
        client.deprecateEof && payload.length > 5
          ? decodeOk(payload, client.sessionTrack)
          : decodeEof(payload);
      return [...records, end];
    }
    records.push(decodeColumn(payload, true, client.extendedMetadata));
  }
}
