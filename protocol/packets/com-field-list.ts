import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_field_list.html */
export interface ComFieldList {
  readonly table: string;
  /** A LIKE pattern for column names; empty for all. */
  readonly wildcard: string;
}

export function decodeComFieldList(view: Buffer): ComFieldList {
  const reader = readCommand(view, Command.COM_FIELD_LIST);
  const table = reader.readNullTerminatedString('table');
  return { table, wildcard: reader.readNullTerminatedOrRestString() };
}

export function encodeComFieldList(value: ComFieldList): Buffer {
  return new BufferWriter()
    .writeU8(Command.COM_FIELD_LIST)
    .writeNullTerminatedString(value.table)
    .writeString(value.wildcard)
    .take();
}
