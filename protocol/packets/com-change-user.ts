import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { readCommand } from './com-header.ts';
import {
  type ConnectAttributes,
  readConnectAttributes,
  writeConnectAttributes,
} from './connect-attributes.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html */
export interface ComChangeUser {
  readonly username: string;
  readonly authResponse: Buffer;
  /** null when the client names none. */
  readonly database: string | null;
  /** null when the packet ends before it (old clients): the session keeps its own. */
  readonly collationId: number | null;
  readonly authPluginName: string | null;
  readonly connectAttributes: ConnectAttributes;
}

/** `capabilities` are the negotiated ones. `authResponse` is a view. */
export function decodeComChangeUser(view: Buffer, capabilities: number): ComChangeUser {
  const reader = readCommand(view, Command.COM_CHANGE_USER);
  const username = reader.readNullTerminatedString('user name');
  const authResponse = hasCapability(capabilities, Capability.CLIENT_SECURE_CONNECTION)
    ? reader.readBytes(reader.readU8('length of auth response'), 'auth response')
    : reader.readNullTerminatedBytes('auth response');
  const database = reader.readNullTerminatedString('schema');
  const collationId = reader.remaining > 0 ? reader.readU16('collation') : null;
  const hasPlugin = hasCapability(capabilities, Capability.CLIENT_PLUGIN_AUTH) && reader.remaining > 0;
  const authPluginName = hasPlugin ? reader.readNullTerminatedOrRestString() : '';
  const hasAttributes = hasCapability(capabilities, Capability.CLIENT_CONNECT_ATTRS) && reader.remaining > 0;
  return {
    username,
    authResponse,
    database: database === '' ? null : database,
    collationId,
    authPluginName: authPluginName === '' ? null : authPluginName,
    connectAttributes: hasAttributes ? readConnectAttributes(reader) : {},
  };
}

export function encodeComChangeUser(value: ComChangeUser, capabilities: number): Buffer {
  const writer = new BufferWriter()
    .writeU8(Command.COM_CHANGE_USER)
    .writeNullTerminatedString(value.username);
  if (hasCapability(capabilities, Capability.CLIENT_SECURE_CONNECTION)) {
    writer.writeU8(value.authResponse.length).writeBytes(value.authResponse);
  } else {
    writer.writeNullTerminatedBytes(value.authResponse);
  }
  writer.writeNullTerminatedString(value.database ?? '');
  if (value.collationId === null) return writer.take();
  writer.writeU16(value.collationId);
  if (hasCapability(capabilities, Capability.CLIENT_PLUGIN_AUTH)) {
    writer.writeNullTerminatedString(value.authPluginName ?? '');
  }
  if (hasCapability(capabilities, Capability.CLIENT_CONNECT_ATTRS)) {
    writeConnectAttributes(writer, value.connectAttributes);
  }
  return writer.take();
}
