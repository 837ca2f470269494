import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { Command } from '../constants/commands.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import {
  type BinaryParameters,
  type ParameterType,
  readBinaryParameters,
  writeBinaryParameters,
} from './binary-parameters.ts';
import { readCommand } from './com-header.ts';

/** Lower bits of the flags byte: which cursor is asked for. */
export const CursorFlag = {
  CURSOR_TYPE_NO_CURSOR: 0x00,
  CURSOR_TYPE_READ_ONLY: 0x01,
  CURSOR_TYPE_FOR_UPDATE: 0x02,
  CURSOR_TYPE_SCROLLABLE: 0x04,
  /** Under CLIENT_QUERY_ATTRIBUTES: the number of parameters is sent. */
  PARAMETER_COUNT_AVAILABLE: 0x08,
} as const;

/** The fixed head, which needs no knowledge of the statement. */
export interface ComStmtExecuteHead {
  readonly statementId: number;
  readonly flags: number;
  /** Always 1. */
  readonly iterationCount: number;
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html */
export interface ComStmtExecute extends ComStmtExecuteHead, BinaryParameters {}

export interface ExecuteContext {
  /** Of the prepared statement; query attributes come on top where they are negotiated. */
  readonly parameterCount: number;
  /** Of the last execution; needed when the packet brings none. */
  readonly knownTypes?: readonly ParameterType[];
  /** Parameters whose values came by COM_STMT_SEND_LONG_DATA. */
  readonly longData?: ReadonlySet<number>;
}

const EMPTY_SET: ReadonlySet<number> = new Set();

export function decodeComStmtExecuteHead(view: Buffer): ComStmtExecuteHead {
  const reader = readCommand(view, Command.COM_STMT_EXECUTE);
  return {
    statementId: reader.readU32('statement id'),
    flags: reader.readU8('flags'),
    iterationCount: reader.readU32('iteration count'),
  };
}

export function decodeComStmtExecute(
  view: Buffer,
  capabilities: number,
  context: ExecuteContext,
): ComStmtExecute {
  const head = decodeComStmtExecuteHead(view);
  const reader = readCommand(view, Command.COM_STMT_EXECUTE);
  reader.skip(9);
  const named = hasCapability(capabilities, Capability.CLIENT_QUERY_ATTRIBUTES);
  let count = context.parameterCount;
  const countSent = named && (head.flags & CursorFlag.PARAMETER_COUNT_AVAILABLE) !== 0;
  if (countSent) count = reader.readLenencNumber('parameter count');
  if (count === 0) return { ...head, typesSent: false, types: [], values: [] };
  const parameters = readBinaryParameters(reader, {
    count,
    named,
    knownTypes: context.knownTypes ?? null,
    longData: context.longData ?? EMPTY_SET,
  });
  reader.assertEnd('COM_STMT_EXECUTE');
  return { ...head, ...parameters };
}

export function encodeComStmtExecute(value: ComStmtExecute, capabilities: number): Buffer {
  const named = hasCapability(capabilities, Capability.CLIENT_QUERY_ATTRIBUTES);
  const writer = new BufferWriter()
    .writeU8(Command.COM_STMT_EXECUTE)
    .writeU32(value.statementId)
    .writeU8(value.flags)
    .writeU32(value.iterationCount);
  if (named && (value.flags & CursorFlag.PARAMETER_COUNT_AVAILABLE) !== 0) {
    writer.writeLenenc(value.values.length);
  }
  if (value.values.length > 0) writeBinaryParameters(writer, value, named);
  return writer.take();
}
