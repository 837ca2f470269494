import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';

export const SetOption = {
  MYSQL_OPTION_MULTI_STATEMENTS_ON: 0,
  MYSQL_OPTION_MULTI_STATEMENTS_OFF: 1,
} as const;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_set_option.html */
export interface ComSetOption {
  /** One of `SetOption`, or what the client made up. */
  readonly option: number;
}

export function decodeComSetOption(view: Buffer): ComSetOption {
  return { option: readCommand(view, Command.COM_SET_OPTION).readU16('option') };
}

export function encodeComSetOption(value: ComSetOption): Buffer {
  return new BufferWriter(16).writeU8(Command.COM_SET_OPTION).writeU16(value.option).take();
}
