/**
 * The prepared-statement commands with a fixed head and nothing to interpret behind it.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_close.html (and its neighbours)
 */

import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';

/** No answer comes. */
export interface ComStmtClose {
  readonly statementId: number;
}

export interface ComStmtReset {
  readonly statementId: number;
}

/** No answer comes; an error shows at the next COM_STMT_EXECUTE. */
export interface ComStmtSendLongData {
  readonly statementId: number;
  readonly parameterIndex: number;
  /** A view when decoded. */
  readonly data: Buffer;
}

export interface ComStmtFetch {
  readonly statementId: number;
  readonly rowCount: number;
}

export interface ComStmtPrepare {
  /** In the client's character set; a view when decoded. */
  readonly query: Buffer;
}

export function decodeComStmtClose(view: Buffer): ComStmtClose {
  return { statementId: readCommand(view, Command.COM_STMT_CLOSE).readU32('statement id') };
}

export function encodeComStmtClose(value: ComStmtClose): Buffer {
  return new BufferWriter(16).writeU8(Command.COM_STMT_CLOSE).writeU32(value.statementId).take();
}

export function decodeComStmtReset(view: Buffer): ComStmtReset {
  return { statementId: readCommand(view, Command.COM_STMT_RESET).readU32('statement id') };
}

export function encodeComStmtReset(value: ComStmtReset): Buffer {
  return new BufferWriter(16).writeU8(Command.COM_STMT_RESET).writeU32(value.statementId).take();
}

export function decodeComStmtSendLongData(view: Buffer): ComStmtSendLongData {
  const reader = readCommand(view, Command.COM_STMT_SEND_LONG_DATA);
  const statementId = reader.readU32('statement id');
  const parameterIndex = reader.readU16('parameter index');
  return { statementId, parameterIndex, data: reader.readRest() };
}

export function encodeComStmtSendLongData(value: ComStmtSendLongData): Buffer {
  return new BufferWriter(16 + value.data.length)
    .writeU8(Command.COM_STMT_SEND_LONG_DATA)
    .writeU32(value.statementId)
    .writeU16(value.parameterIndex)
    .writeBytes(value.data)
    .take();
}

export function decodeComStmtFetch(view: Buffer): ComStmtFetch {
  const reader = readCommand(view, Command.COM_STMT_FETCH);
  const statementId = reader.readU32('statement id');
  return { statementId, rowCount: reader.readU32('row count') };
}

export function encodeComStmtFetch(value: ComStmtFetch): Buffer {
  return new BufferWriter(16)
    .writeU8(Command.COM_STMT_FETCH)
    .writeU32(value.statementId)
    .writeU32(value.rowCount)
    .take();
}

export function decodeComStmtPrepare(view: Buffer): ComStmtPrepare {
  return { query: readCommand(view, Command.COM_STMT_PREPARE).readRest() };
}

export function encodeComStmtPrepare(value: { readonly query: Uint8Array | string }): Buffer {
  const { query } = value;
  const writer = new BufferWriter(16 + query.length).writeU8(Command.COM_STMT_PREPARE);
  return (typeof query === 'string' ? writer.writeString(query) : writer.writeBytes(query)).take();
}
