/** The answers of admin commands as framed packets, from sequence id 1 on. */

import {
  Capability,
  encodeTextResultset,
  frameEof,
  frameErr,
  frameOk,
  hasCapability,
  StatusFlag,
} from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { type CommandAnswer, columnTypeOf } from './commands/command.ts';

const statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
const EOF_HEADER = 0xfe;
/** What clients reserve for a number: 64 bits with a sign. */
const NUMBER_LENGTH = 20;
const MAX_WARNING_COUNT = 0xffff;

export function answerPackets(answer: CommandAnswer, capabilities: number): Buffer {
  if (answer.kind === 'ok') {
    const { affectedRows = 0, info = '', warnings = [] } = answer;
    return frameOk({ statusFlags, affectedRows, info, warnings: warnings.length }, capabilities, 1);
  }
  const columns = answer.columns.map((column) => ({
    name: column.name,
    type: columnTypeOf(column),
    ...(column.type === 'number' ? { length: NUMBER_LENGTH } : {}),
  }));
  const warnings = Math.min(answer.warnings?.length ?? 0, MAX_WARNING_COUNT);
  return encodeTextResultset(columns, answer.rows, { capabilities, statusFlags, warnings, sequenceId: 1 });
}

export function okPacket(capabilities: number, sequenceId = 1): Buffer {
  return frameOk({ statusFlags }, capabilities, sequenceId);
}

/** What ends a list without columns, and answers COM_SET_OPTION. */
export function endPacket(capabilities: number): Buffer {
  if (hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF)) {
    return frameOk({ header: EOF_HEADER, statusFlags }, capabilities, 1);
  }
  return frameEof({ statusFlags, warnings: 0 }, capabilities, 1);
}

export function errorPacket(error: ClientError, capabilities: number, sequenceId = 1): Buffer {
  return frameErr(error, capabilities, sequenceId);
}
