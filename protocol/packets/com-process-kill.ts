import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_process_kill.html */
export interface ComProcessKill {
  readonly threadId: number;
}

export function decodeComProcessKill(view: Buffer): ComProcessKill {
  return { threadId: readCommand(view, Command.COM_PROCESS_KILL).readU32('thread id') };
}

export function encodeComProcessKill(value: ComProcessKill): Buffer {
  return new BufferWriter(16).writeU8(Command.COM_PROCESS_KILL).writeU32(value.threadId).take();
}
