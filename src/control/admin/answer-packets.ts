/** The answers of admin commands as framed packets, from sequence id 1 on. */

import {
  Capability,
  ColumnType,
  encodeComStmtPrepareOk,
  encodeResultColumn,
  frameEof,
  frameErr,
  frameOk,
  framePacket,
  hasCapability,
  type ResultColumn,
  ResultsetWriter,
  type RowFormat,
  StatusFlag,
  type TextValue,
} from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { type CommandAnswer, columnTypeOf } from './commands/command.ts';

const statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
const EOF_HEADER = 0xfe;
/** What clients reserve for a number: 64 bits with a sign. */
const NUMBER_LENGTH = 20;
const MAX_WARNING_COUNT = 0xffff;
/** Of an answer in one turn of the event loop: a large one must not hold up the checks of the servers. */
const SLICE_BYTES = 64 * 1024;

type RowsAnswer = CommandAnswer & { readonly kind: 'rows' };

/** The whole answer, in slices to be sent one by one. */
export function* answerSlices(
  answer: CommandAnswer,
  capabilities: number,
  format: RowFormat = 'text',
): Generator<Buffer, void> {
  if (answer.kind === 'ok') {
    const { affectedRows = 0, info = '', warnings = [] } = answer;
    yield frameOk({ statusFlags, affectedRows, info, warnings: warnings.length }, capabilities, 1);
    return;
  }
  const warnings = Math.min(answer.warnings?.length ?? 0, MAX_WARNING_COUNT);
  const context = { capabilities, statusFlags, warnings, sequenceId: 1 };
  const writer = new ResultsetWriter(columnsOf(answer, format), context, format);
  for (const row of answer.rows) {
    writer.row(row);
    if (writer.pendingBytes >= SLICE_BYTES) yield writer.take();
  }
  writer.end();
  yield writer.take();
}

function columnsOf(answer: RowsAnswer, format: RowFormat): ResultColumn[] {
  return answer.columns.map((column, index) => {
    const type = columnTypeOf(column);
    const isNumber = type !== ColumnType.MYSQL_TYPE_VAR_STRING;
    // In the binary format a value that is not of its column's type cannot be written.
    if (format === 'binary' && isNumber && !answer.rows.every((row) => fits(row[index], type)))
      return { name: column.name, type: ColumnType.MYSQL_TYPE_VAR_STRING };
    return { name: column.name, type, ...(isNumber ? { length: NUMBER_LENGTH } : {}) };
  });
}

function fits(value: TextValue | undefined, type: number): boolean {
  if (value === null || value === undefined) return true;
  if (type === ColumnType.MYSQL_TYPE_DOUBLE) return typeof value === 'number';
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** COM_STMT_PREPARE: the columns are told by each execution, as servers do for what they know only then. */
export function preparedPackets(statementId: number, parameterCount: number, capabilities: number): Buffer {
  const head = { statementId, parameterCount, columnCount: 0, warnings: 0, metadataFollows: true };
  const packets = [framePacket(encodeComStmtPrepareOk(head, capabilities), 1)];
  const definition = encodeResultColumn({ name: '?' });
  for (let index = 0; index < parameterCount; index++)
    packets.push(framePacket(definition, (2 + index) & 0xff));
  if (parameterCount > 0 && !hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF))
    packets.push(frameEof({ statusFlags, warnings: 0 }, capabilities, (2 + parameterCount) & 0xff));
  return Buffer.concat(packets);
}

/** COM_FIELD_LIST: definitions, then the end. */
export function fieldListPackets(names: readonly string[], capabilities: number): Buffer {
  const packets = names.map((name, index) => framePacket(encodeResultColumn({ name }), (1 + index) & 0xff));
  return Buffer.concat([...packets, endPacket(capabilities, (1 + names.length) & 0xff)]);
}

export function okPacket(capabilities: number, sequenceId = 1): Buffer {
  return frameOk({ statusFlags }, capabilities, sequenceId);
}

/** What ends a list without columns, and answers COM_SET_OPTION. */
export function endPacket(capabilities: number, sequenceId = 1): Buffer {
  if (hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF)) {
    return frameOk({ header: EOF_HEADER, statusFlags }, capabilities, sequenceId);
  }
  return frameEof({ statusFlags, warnings: 0 }, capabilities, sequenceId);
}

export function errorPacket(error: ClientError, capabilities: number, sequenceId = 1): Buffer {
  return frameErr(error, capabilities, sequenceId);
}
