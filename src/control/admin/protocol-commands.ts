/** What an admin session answers to each command of the protocol. Never throws: every fault becomes an ERR packet. */

import {
  Command,
  CommandName,
  comQueryTextOffset,
  decodeComFieldList,
  decodeComInitDb,
  decodeComProcessKill,
  decodeComSetOption,
  decodeComStmtClose,
  decodeComStmtFetch,
  decodeComStmtPrepare,
  decodeComStmtReset,
  framePacket,
  ProtocolError,
  type RowFormat,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { type CommandContext, checkAdminStatement, runAdminStatement } from './admin-command.ts';
import { AdminError } from './admin-error.ts';
import {
  answerSlices,
  endPacket,
  errorPacket,
  fieldListPackets,
  okPacket,
  preparedPackets,
} from './answer-packets.ts';
import type { CommandAnswer, CommandSession, Condition, ParameterValue } from './commands/command.ts';
import { conditionOf } from './commands/show-warnings.ts';
import { isLike } from './like-pattern.ts';
import { type PreparedStatements, StatementError } from './prepared-statements.ts';

export interface ProtocolSession extends CommandSession {
  readonly capabilities: number;
  readonly prepared: PreparedStatements;
  /** For what USE and COM_INIT_DB change. */
  enterSchema(schema: string): void;
  /** For SHOW WARNINGS, until the next statement. */
  conclude(conditions: readonly Condition[]): void;
}

export interface ProtocolContext extends CommandContext {
  /** `performance.now()` at the start of the admin port. */
  readonly startedAtMs: number;
}

/** Identifiers of servers are no longer. */
const MAX_SCHEMA_LENGTH = 64;

/**
 * What to write, slice by slice; nothing for a command without an answer, null for COM_QUIT.
 * @param payload one whole command, without its header
 */
export async function answerCommand(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Iterable<Buffer> | null> {
  try {
    return await dispatch(payload, session, context);
  } catch (error) {
    const explained = explain(error, payload, session, context.logger);
    session.conclude([{ level: 'Error', code: explained.errno, message: explained.message }]);
    return [errorPacket(explained, session.capabilities)];
  }
}

async function dispatch(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Iterable<Buffer> | null> {
  const { capabilities } = session;
  switch (payload[0]) {
    case Command.COM_QUIT:
      return null;
    case Command.COM_PING:
      return [okPacket(capabilities)];
    case Command.COM_RESET_CONNECTION:
      session.prepared.closeAll();
      session.conclude([]);
      return [okPacket(capabilities)];
    case Command.COM_QUERY: {
      const statement = payload.subarray(comQueryTextOffset(payload, capabilities));
      return runStatement(statement, session, context);
    }
    case Command.COM_INIT_DB:
      enter(decodeComInitDb(payload).schema.toString('utf8'), session);
      return [okPacket(capabilities)];
    case Command.COM_SET_OPTION:
      decodeComSetOption(payload);
      return [endPacket(capabilities)];
    case Command.COM_FIELD_LIST:
      return [await fieldList(payload, session, context)];
    case Command.COM_STATISTICS:
      return [framePacket(Buffer.from(statistics(context)), 1)];
    case Command.COM_PROCESS_KILL: {
      const kill = `KILL CONNECTION ${decodeComProcessKill(payload).threadId}`;
      return runStatement(Buffer.from(kill), session, context);
    }
    default:
      return preparedCommand(payload, session, context);
  }
}

async function preparedCommand(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Iterable<Buffer>> {
  const { capabilities, prepared } = session;
  switch (payload[0]) {
    case Command.COM_STMT_PREPARE: {
      const { query } = decodeComStmtPrepare(payload);
      session.conclude([]);
      if (!checkAdminStatement(query, session))
        return [errorPacket(clientError('PROXY_EMPTY_QUERY', {}), capabilities)];
      const { id, parameterCount } = prepared.prepare(query);
      return [preparedPackets(id, parameterCount, capabilities)];
    }
    case Command.COM_STMT_EXECUTE: {
      const { source, parameters } = prepared.execution(payload, capabilities);
      return runStatement(source, session, context, { format: 'binary', parameters });
    }
    case Command.COM_STMT_SEND_LONG_DATA:
      prepared.longData(payload);
      return [];
    case Command.COM_STMT_CLOSE:
      prepared.close(decodeComStmtClose(payload).statementId);
      return [];
    case Command.COM_STMT_RESET:
      prepared.reset(decodeComStmtReset(payload).statementId);
      return [okPacket(capabilities)];
    case Command.COM_STMT_FETCH: {
      // Rows come with the execution, whatever cursor it asks for.
      const { statementId } = decodeComStmtFetch(payload);
      return [errorPacket(clientError('PROXY_NO_CURSOR', { statementId }), capabilities)];
    }
    default:
      return [errorPacket(clientError('PROXY_UNKNOWN_COMMAND', {}), capabilities)];
  }
}

interface Execution {
  readonly format: RowFormat;
  readonly parameters: readonly ParameterValue[];
}

const AS_TEXT: Execution = { format: 'text', parameters: [] };

async function runStatement(
  statement: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
  { format, parameters }: Execution = AS_TEXT,
): Promise<Iterable<Buffer>> {
  const { capabilities } = session;
  const answer = await runAdminStatement(statement, session, context, parameters);
  if (answer?.kind !== 'rows' || answer.keepsWarnings !== true) session.conclude(conditionsOf(answer));
  if (answer === null) return [errorPacket(clientError('PROXY_EMPTY_QUERY', {}), capabilities)];
  if (answer.kind === 'ok' && answer.schema !== undefined) enter(answer.schema, session);
  return answerSlices(answer, capabilities, format);
}

/** For the tab completion of the stock client, which asks so for each table. */
async function fieldList(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Buffer> {
  const { table, wildcard } = decodeComFieldList(payload);
  const name = `\`${table.replaceAll('`', '``')}\``;
  const answer = await runAdminStatement(Buffer.from(`SHOW FIELDS FROM ${name}`), session, context);
  const names = answer?.kind === 'rows' ? [...answer.rows].map(([field]) => String(field)) : [];
  const shown = wildcard === '' ? names : names.filter((each) => isLike(each, wildcard));
  return fieldListPackets(shown, session.capabilities);
}

function conditionsOf(answer: CommandAnswer | null): readonly Condition[] {
  return (answer?.warnings ?? []).map(conditionOf);
}

function enter(schema: string, session: ProtocolSession): void {
  if (schema === '' || schema.length > MAX_SCHEMA_LENGTH) {
    throw new AdminError('wrongArgument', `A schema has a name of 1 to ${MAX_SCHEMA_LENGTH} characters`);
  }
  session.enterSchema(schema);
}

function explain(error: unknown, payload: Buffer, session: ProtocolSession, logger: Logger): ClientError {
  if (error instanceof AdminError) return error.toClientError();
  if (error instanceof StatementError) return error.error;
  if (error instanceof ProtocolError) return clientError('PROXY_MALFORMED_PACKET', {});
  logger.error('admin command failed', {
    username: session.username,
    host: session.host,
    command: CommandName.get(payload[0] ?? -1),
    err: error,
  });
  return clientError('PROXY_INTERNAL', { reason: 'the admin command failed, the log has the details' });
}

/** In the form that the `status` command of the stock client shows. */
function statistics({ state, startedAtMs }: ProtocolContext): string {
  const { frontendConnections, workers, snapshotVersion } = state.counters();
  const questions = workers.reduce((sum, { counters }) => sum + counters.questions, 0);
  const uptimeSeconds = Math.floor((performance.now() - startedAtMs) / 1000);
  return [
    `Uptime: ${uptimeSeconds}`,
    `Threads: ${workers.length}`,
    `Questions: ${questions}`,
    `Clients: ${frontendConnections}`,
    `Version of topology and settings: ${snapshotVersion}`,
  ].join('  ');
}
