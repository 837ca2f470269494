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
import { type CommandAnswer, type CommandColumn, columnTypeOf } from './commands/command.ts';

/** Drivers that know the second one double quotes instead of escaping them, which is what SQLite reads. */
export const STATUS_FLAGS =
  StatusFlag.SERVER_STATUS_AUTOCOMMIT | StatusFlag.SERVER_STATUS_NO_BACKSLASH_ESCAPES;
const statusFlags = STATUS_FLAGS;
const EOF_HEADER = 0xfe;
/** What clients reserve for a number: 64 bits with a sign. */
const NUMBER_LENGTH = 20;
const MAX_WARNING_COUNT = 0xffff;
/** Of an answer in one turn of the event loop: a large one must not hold up the checks of the servers. */
const SLICE_BYTES = 64 * 1024;

/** The whole answer, in slices to be sent one by one. */
export function* answerSlices(
  answer: CommandAnswer,
  capabilities: number,
  format: RowFormat = 'text',
): Generator<Buffer, void> {
  if (answer.kind === 'ok') {
    const { affectedRows = 0, lastInsertId = 0, info = '', warnings = [] } = answer;
    const values = { statusFlags, affectedRows, lastInsertId, info, warnings: warnings.length };
    yield frameOk(values, capabilities, 1);
    return;
  }
  const warnings = Math.min(answer.warnings?.length ?? 0, MAX_WARNING_COUNT);
  const context = { capabilities, statusFlags, warnings, sequenceId: 1 };
  // In the binary format each value must be of its column's type, so that all of them are looked at first.
  const looksAhead = format === 'binary' && answer.columns.some(({ type = 'text' }) => type !== 'text');
  const rows = looksAhead ? [...answer.rows] : answer.rows;
  const columns = answer.columns.map((column, index) =>
    looksAhead ? fittingColumn(column, index, rows) : resultColumn(column),
  );
  const writer = new ResultsetWriter(columns, context, format);
  for (const row of rows) {
    writer.row(row);
    if (writer.pendingBytes >= SLICE_BYTES) yield writer.take();
  }
  writer.end();
  yield writer.take();
}

function resultColumn(column: Pick<CommandColumn, 'name' | 'type'>): ResultColumn {
  const type = columnTypeOf(column);
  const isText = type === ColumnType.MYSQL_TYPE_VAR_STRING;
  return { name: column.name, type, ...(isText ? {} : { length: NUMBER_LENGTH }) };
}

function fittingColumn(
  column: Pick<CommandColumn, 'name' | 'type'>,
  index: number,
  rows: Iterable<readonly TextValue[]>,
): ResultColumn {
  const asked = resultColumn(column);
  if (asked.type === ColumnType.MYSQL_TYPE_VAR_STRING) return asked;
  for (const row of rows) if (!fits(row[index], asked.type)) return { name: column.name };
  return asked;
}

function fits(value: TextValue | undefined, type: number | undefined): boolean {
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
