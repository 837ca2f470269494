import { createHash } from 'node:crypto';
import { WireReader } from './wire-reader.ts';

/** One packet of an answer, decoded into what a client could tell apart. */
export interface WireRecord {
  readonly kind: string;
  readonly fields: Readonly<Record<string, string | number | null>>;
}

const SHOWN_ROW_BYTES = 400;

export function decodeOk(payload: Buffer, sessionTrack: boolean): WireRecord {
  const reader = new WireReader(payload);
  const header = reader.int(1);
  const affectedRows = reader.lenencInt();
  const lastInsertId = reader.lenencInt();
  const status = reader.int(2);
  const warnings = reader.int(2);
  let info = '';
  let sessionState = '';
  if (sessionTrack) {
    if (reader.remaining > 0) info = reader.lenencBytes().toString('latin1');
    if (reader.remaining > 0) sessionState = describeSessionState(reader.lenencBytes());
  } else {
    info = reader.rest().toString('latin1');
  }
  return {
    kind: header === 0 ? 'ok' : 'ok-eof',
    fields: { affectedRows, lastInsertId, status, warnings, info, sessionState, trailing: reader.remaining },
  };
}

export function decodeErr(payload: Buffer): WireRecord {
  const reader = new WireReader(payload.subarray(1));
  const code = reader.int(2);
  const hasState = payload[3] === 0x23;
  if (hasState) reader.int(1);
  const sqlState = hasState ? reader.bytes(5).toString('latin1') : null;
  return { kind: 'err', fields: { code, sqlState, message: reader.rest().toString('utf8') } };
}

export function decodeEof(payload: Buffer): WireRecord {
  const reader = new WireReader(payload.subarray(1));
  return { kind: 'eof', fields: { warnings: reader.int(2), status: reader.int(2) } };
}

/**
 * @param hasDefault COM_FIELD_LIST, where the default value follows the definition
 * @param isExtended MARIADB_CLIENT_EXTENDED_METADATA is negotiated
 */
export function decodeColumn(payload: Buffer, hasDefault: boolean, isExtended: boolean): WireRecord {
  const reader = new WireReader(payload);
  const text = (): string => reader.lenencBytes().toString('latin1');
  const fields = {
    catalog: text(),
    schema: text(),
    table: text(),
    orgTable: text(),
    name: text(),
    orgName: text(),
    extended: isExtended ? text() : '',
    fixedLength: reader.lenencInt(),
    characterSet: reader.int(2),
    columnLength: reader.int(4),
    type: reader.int(1),
    flags: reader.int(2),
    decimals: reader.int(1),
    filler: reader.int(2),
  };
  if (!hasDefault) return { kind: 'column', fields: { ...fields, trailing: reader.remaining } };
  return { kind: 'column', fields: { ...fields, defaultValue: reader.rest().toString('latin1') } };
}

export function decodeRow(payload: Buffer): WireRecord {
  const bytes =
    payload.length <= SHOWN_ROW_BYTES
      ? payload.toString('latin1')
      : `${payload.length} bytes, sha1 ${createHash('sha1').update(payload).digest('hex')}`;
  return { kind: 'row', fields: { bytes } };
}

function describeSessionState(block: Buffer): string {
  const reader = new WireReader(block);
  const parts: string[] = [];
  while (reader.remaining > 0) {
    const type = reader.int(1);
    const body = reader.lenencBytes();
    parts.push(`${type}:${body.toString('latin1')}`);
  }
  return parts.join('|');
}
