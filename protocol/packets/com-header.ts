import type { Command } from '../constants/commands.ts';
import { CommandName } from '../constants/commands.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/** A reader behind the command byte, which must be `command`. */
export function readCommand(view: Buffer, command: Command): BufferReader {
  const reader = new BufferReader(view);
  if (reader.readU8('command') !== command) {
    throw new MalformedPacketError(`command byte (${CommandName.get(command)} is needed)`, 0);
  }
  return reader;
}

/** A command that is its byte alone: COM_PING, COM_QUIT, COM_RESET_CONNECTION, COM_STATISTICS, COM_DEBUG … */
export function encodeBareCommand(command: Command): Buffer {
  return new BufferWriter(16).writeU8(command).take();
}
