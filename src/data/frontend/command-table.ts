/** What is done with each command, and the shape of its answer. */

import { AnswerShape, Command } from '../../../protocol/index.ts';

export const CommandTreatment = {
  /** Sluice answers itself. */
  local: 'local',
  /** Sent to the primary like a write; the session is not pinned. */
  primary: 'primary',
  /** As `primary`, and the session stays there: what the command does is not followed. */
  pinned: 'pinned',
  /** Of a prepared statement. */
  prepared: 'prepared',
  /** ER_UNKNOWN_COM_ERROR, as a server says to commands that clients have no business with. */
  unknown: 'unknown',
} as const;
export type CommandTreatment = (typeof CommandTreatment)[keyof typeof CommandTreatment];

interface Entry {
  readonly treatment: CommandTreatment;
  readonly shape: AnswerShape;
}

const { local, primary, pinned, prepared } = CommandTreatment;

const TABLE: ReadonlyMap<number, Entry> = new Map<number, Entry>([
  [Command.COM_QUIT, { treatment: local, shape: AnswerShape.single }],
  [Command.COM_INIT_DB, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_FIELD_LIST, { treatment: primary, shape: AnswerShape.fieldList }],
  [Command.COM_CREATE_DB, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_DROP_DB, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_REFRESH, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_SHUTDOWN, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_STATISTICS, { treatment: primary, shape: AnswerShape.text }],
  [Command.COM_PROCESS_INFO, { treatment: primary, shape: AnswerShape.query }],
  [Command.COM_PROCESS_KILL, { treatment: local, shape: AnswerShape.single }],
  [Command.COM_DEBUG, { treatment: primary, shape: AnswerShape.single }],
  [Command.COM_PING, { treatment: local, shape: AnswerShape.single }],
  [Command.COM_BINLOG_DUMP, { treatment: pinned, shape: AnswerShape.stream }],
  [Command.COM_BINLOG_DUMP_GTID, { treatment: pinned, shape: AnswerShape.stream }],
  [Command.COM_REGISTER_SLAVE, { treatment: pinned, shape: AnswerShape.single }],
  [Command.COM_STMT_PREPARE, { treatment: prepared, shape: AnswerShape.prepare }],
  [Command.COM_STMT_EXECUTE, { treatment: prepared, shape: AnswerShape.query }],
  [Command.COM_STMT_SEND_LONG_DATA, { treatment: prepared, shape: AnswerShape.single }],
  [Command.COM_STMT_CLOSE, { treatment: prepared, shape: AnswerShape.single }],
  [Command.COM_STMT_RESET, { treatment: prepared, shape: AnswerShape.single }],
  [Command.COM_STMT_FETCH, { treatment: prepared, shape: AnswerShape.fetch }],
  [Command.COM_SET_OPTION, { treatment: local, shape: AnswerShape.single }],
  [Command.COM_RESET_CONNECTION, { treatment: local, shape: AnswerShape.single }],
]);

export function treatmentOf(command: number): CommandTreatment {
  return TABLE.get(command)?.treatment ?? CommandTreatment.unknown;
}

export function commandShape(command: number): AnswerShape {
  return TABLE.get(command)?.shape ?? AnswerShape.single;
}
