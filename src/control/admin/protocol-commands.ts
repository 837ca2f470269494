/** What an admin session answers to each command of the protocol. Never throws: every fault becomes an ERR packet. */

import {
  Command,
  CommandName,
  comQueryTextOffset,
  decodeComInitDb,
  decodeComSetOption,
  framePacket,
  ProtocolError,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { type CommandContext, runAdminStatement } from './admin-command.ts';
import { AdminError } from './admin-error.ts';
import { answerPackets, endPacket, errorPacket, okPacket } from './answer-packets.ts';
import type { CommandAnswer, CommandSession, Condition } from './commands/command.ts';
import { conditionOf } from './commands/show-warnings.ts';

export interface ProtocolSession extends CommandSession {
  readonly capabilities: number;
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

/** The packets to write; null for COM_QUIT. `payload` is one whole command, without its header. */
export async function answerCommand(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Buffer | null> {
  try {
    return await dispatch(payload, session, context);
  } catch (error) {
    const explained = explain(error, payload, session, context.logger);
    session.conclude([{ level: 'Error', code: explained.errno, message: explained.message }]);
    return errorPacket(explained, session.capabilities);
  }
}

async function dispatch(
  payload: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Buffer | null> {
  const { capabilities } = session;
  switch (payload[0]) {
    case Command.COM_QUIT:
      return null;
    case Command.COM_PING:
    case Command.COM_RESET_CONNECTION:
      return okPacket(capabilities);
    case Command.COM_QUERY: {
      const statement = payload.subarray(comQueryTextOffset(payload, capabilities));
      return runStatement(statement, session, context);
    }
    case Command.COM_INIT_DB:
      enter(decodeComInitDb(payload).schema.toString('utf8'), session);
      return okPacket(capabilities);
    case Command.COM_SET_OPTION:
      decodeComSetOption(payload);
      return endPacket(capabilities);
    case Command.COM_FIELD_LIST:
      // Clients ask for their tab completion; there is no table whose columns could be listed.
      return endPacket(capabilities);
    case Command.COM_STATISTICS:
      return framePacket(Buffer.from(statistics(context)), 1);
    default:
      return errorPacket(clientError('PROXY_UNKNOWN_COMMAND', {}), capabilities);
  }
}

async function runStatement(
  statement: Buffer,
  session: ProtocolSession,
  context: ProtocolContext,
): Promise<Buffer> {
  const answer = await runAdminStatement(statement, session, context);
  if (answer?.kind !== 'rows' || answer.keepsWarnings !== true) session.conclude(conditionsOf(answer));
  if (answer === null) return errorPacket(clientError('PROXY_EMPTY_QUERY', {}), session.capabilities);
  if (answer.kind === 'ok' && answer.schema !== undefined) enter(answer.schema, session);
  return answerPackets(answer, session.capabilities);
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
