import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_init_db.html */
export interface ComInitDb {
  /** In the client's character set; a view when decoded. */
  readonly schema: Buffer;
}

export function decodeComInitDb(view: Buffer): ComInitDb {
  return { schema: readCommand(view, Command.COM_INIT_DB).readRest() };
}

export function encodeComInitDb(value: { readonly schema: Uint8Array | string }): Buffer {
  const writer = new BufferWriter().writeU8(Command.COM_INIT_DB);
  const { schema } = value;
  return (typeof schema === 'string' ? writer.writeString(schema) : writer.writeBytes(schema)).take();
}
