import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * The head of the answer to COM_STMT_PREPARE; the definitions of parameters and columns follow as packets.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html#sect_protocol_com_stmt_prepare_response_ok
 */
export interface ComStmtPrepareOk {
  readonly statementId: number;
  readonly columnCount: number;
  readonly parameterCount: number;
  readonly warnings: number;
  /** False only under CLIENT_OPTIONAL_RESULTSET_METADATA with `resultset_metadata=NONE`. */
  readonly metadataFollows: boolean;
}

export function decodeComStmtPrepareOk(view: Buffer, capabilities: number): ComStmtPrepareOk {
  const reader = new BufferReader(view);
  if (reader.readU8('status') !== 0x00) throw new MalformedPacketError('COM_STMT_PREPARE_OK status', 0);
  const statementId = reader.readU32('statement id');
  const columnCount = reader.readU16('column count');
  const parameterCount = reader.readU16('parameter count');
  reader.skip(1, 'filler');
  const warnings = reader.readU16('warnings');
  const isOptional = hasCapability(capabilities, Capability.CLIENT_OPTIONAL_RESULTSET_METADATA);
  const metadataFollows = isOptional && reader.remaining > 0 ? reader.readU8('metadata follows') !== 0 : true;
  return { statementId, columnCount, parameterCount, warnings, metadataFollows };
}

export function encodeComStmtPrepareOk(value: ComStmtPrepareOk, capabilities: number): Buffer {
  const writer = new BufferWriter(16)
    .writeU8(0x00)
    .writeU32(value.statementId)
    .writeU16(value.columnCount)
    .writeU16(value.parameterCount)
    .writeU8(0)
    .writeU16(value.warnings);
  if (hasCapability(capabilities, Capability.CLIENT_OPTIONAL_RESULTSET_METADATA)) {
    writer.writeU8(value.metadataFollows ? 1 : 0);
  }
  return writer.take();
}
