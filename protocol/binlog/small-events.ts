/** Events of a few fields. Bodies are behind the event's header, without a checksum. */

import { BufferReader } from '../encoding/buffer-reader.ts';

/** The file that follows, and where in it. */
export interface RotateEvent {
  readonly file: string;
  readonly position: bigint;
}

export function decodeRotate(body: Buffer): RotateEvent {
  const reader = new BufferReader(body);
  const position = reader.readU64('position');
  return { position, file: reader.readRestString() };
}

/** Ends a transaction of an engine that has transactions. */
export function decodeXid(body: Buffer): bigint {
  return new BufferReader(body).readU64('XID');
}

export interface XaPrepareEvent {
  /** XA COMMIT … ONE PHASE: it is committed, too. */
  readonly isOnePhase: boolean;
  readonly formatId: number;
  /** Views. */
  readonly gtrid: Buffer;
  readonly bqual: Buffer;
}

export function decodeXaPrepare(body: Buffer): XaPrepareEvent {
  const reader = new BufferReader(body);
  const isOnePhase = reader.readU8('one phase') !== 0;
  const formatId = reader.readI32('format id');
  const gtridBytes = reader.readU32('length of gtrid');
  const bqualBytes = reader.readU32('length of bqual');
  const gtrid = reader.readBytes(gtridBytes, 'gtrid');
  return { isOnePhase, formatId, gtrid, bqual: reader.readBytes(bqualBytes, 'bqual') };
}

/** Something was not logged: whoever reads the log may miss changes. */
export interface IncidentEvent {
  readonly incident: number;
  readonly message: string;
}

export function decodeIncident(body: Buffer): IncidentEvent {
  const reader = new BufferReader(body);
  const incident = reader.readU16('incident');
  const length = reader.readU8('length of the message');
  return { incident, message: reader.readBytes(length, 'message').toString('utf8') };
}

/** Sent while nothing else is: how far the server has sent. */
export interface HeartbeatEvent {
  readonly file: string;
  /** null: modulo 2^32 in the event's header. */
  readonly position: bigint | null;
}

export function decodeHeartbeat(body: Buffer): HeartbeatEvent {
  return { file: body.toString('utf8'), position: null };
}

const HeartbeatField = { END: 0, FILE: 1, POSITION: 2 } as const;

/** For files over 4 GiB: fields of a type, a length and a value. */
export function decodeHeartbeatV2(body: Buffer): HeartbeatEvent {
  const reader = new BufferReader(body);
  let file = '';
  let position: bigint | null = null;
  while (reader.remaining > 0) {
    const type = reader.readLenencNumber('heartbeat field');
    if (type === HeartbeatField.END) break;
    const value = new BufferReader(reader.readLenencBytes('heartbeat field'));
    if (type === HeartbeatField.FILE) file = value.readRestString();
    else if (type === HeartbeatField.POSITION) position = value.readLenencBigint('position');
  }
  return { file, position };
}

/** MariaDB: no file before this one is needed to recover. */
export function decodeBinlogCheckpoint(body: Buffer): string {
  const reader = new BufferReader(body);
  const length = reader.readU32('length of the file name');
  return reader.readBytes(length, 'file name').toString('utf8');
}

/** MariaDB: what is behind it is encrypted in the file; a server decrypts what it sends. */
export interface StartEncryptionEvent {
  readonly scheme: number;
  readonly keyVersion: number;
  /** A view. */
  readonly nonce: Buffer;
}

const NONCE_BYTES = 12;

export function decodeStartEncryption(body: Buffer): StartEncryptionEvent {
  const reader = new BufferReader(body);
  const scheme = reader.readU8('scheme');
  const keyVersion = reader.readU32('key version');
  return { scheme, keyVersion, nonce: reader.readBytes(NONCE_BYTES, 'nonce') };
}

/** MariaDB: the statement behind the row events that follow. A view. */
export function decodeAnnotateRows(body: Buffer): Buffer {
  return body;
}

/** MySQL's: behind a byte that has been too small for the length since long, and is passed over. A view. */
export function decodeRowsQuery(body: Buffer): Buffer {
  const reader = new BufferReader(body);
  reader.skip(1, 'length of the statement');
  return reader.readRest();
}
