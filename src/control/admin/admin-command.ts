/**
 * From a statement's text to its answer: finds the command, checks that this user may run it, runs it with a
 * deadline. Authorization is here and nowhere else, before any command sees anything.
 */

import { nearestName } from '../../../config/nearest-name.ts';
import type { Logger } from '../../common/logger.ts';
import type { AuditTrail, OperatorPort } from '../logs/audit-log.ts';
import { AdminError, quoted } from './admin-error.ts';
import type { AdminState } from './admin-state.ts';
import { type AdminStatement, readAdminStatement } from './admin-statement.ts';
import { AuditedStatement, writesBehindWith } from './audited-statement.ts';
import { ALL_COMMANDS } from './commands/all-commands.ts';
import {
  type AdminCommand,
  AdminRole,
  type CommandAnswer,
  type CommandSession,
  type ParameterValue,
} from './commands/command.ts';

export interface CommandContext {
  readonly state: AdminState;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  /** Where the operator is connected to. */
  readonly port: OperatorPort;
  readonly version: string;
  readonly commandTimeoutMs: number;
}

/** How many of the first words may be a command, the longest first, for what was probably meant. */
const WORD_COUNTS = [3, 2, 1];
const WORD = /^[A-Z_]+$/i;

interface FoundCommand {
  readonly command: AdminCommand;
  readonly match: RegExpExecArray;
}

function findCommand(statement: AdminStatement): FoundCommand {
  for (const command of ALL_COMMANDS) {
    const match = command.pattern.exec(statement.text);
    if (match !== null && (statement.isWhole || command.takesAnyRest === true)) return { command, match };
  }
  throw new AdminError('syntax', unknownCommandMessage(statement));
}

function unknownCommandMessage({ tokens, text, isWhole }: AdminStatement): string {
  if (!isWhole) return `${quoted(text)} is too long for a command, or a quote or comment is not closed`;
  const end = tokens.findIndex((token) => !WORD.test(token.text));
  const words = tokens.slice(0, end < 0 ? undefined : end).map((token) => token.text);
  const beginnings = WORD_COUNTS.filter((count) => count <= words.length).map((count) =>
    words.slice(0, count).join(' '),
  );
  const known = ALL_COMMANDS.find(({ name }) => beginnings.some((wanted) => wanted.toUpperCase() === name));
  if (known !== undefined) return `${quoted(text)} is not how to write it: ${known.syntax}`;
  const names = ALL_COMMANDS.map(({ name }) => name);
  const nearest = beginnings.map((wanted) => nearestName(wanted, names)).find((name) => name !== null);
  if (nearest !== undefined)
    return `Unknown command ${quoted(text)}, did you mean ${nearest}? SHOW HELP lists all`;
  return `Unknown command ${quoted(text)}; SHOW HELP lists all`;
}

function authorize({ access, name }: AdminCommand, { role, username, host }: CommandSession): void {
  if (role === AdminRole.admin || access === role) return;
  throw new AdminError(
    'accessDenied',
    `Access denied for user '${username}'@'${host}': ${name} needs an admin user`,
  );
}

/** @throws AdminError also when the deadline passes; the command's own work goes on, and nobody waits for it */
async function withDeadline<T>(work: T | Promise<T>, timeoutMs: number, name: string): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = () =>
      reject(new AdminError('timeout', `${name} took longer than ${timeoutMs} ms, which is the limit`));
    timer = setTimeout(late, timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether a statement could be run, for who prepares it: false for one that holds nothing.
 * @throws AdminError as running it would, for what can be seen without
 */
export function checkAdminStatement(source: Buffer, session: CommandSession): boolean {
  const statement = readAdminStatement(source);
  if (statement.text === '' && statement.isWhole) return false;
  authorize(findCommand(statement).command, session);
  return true;
}

/**
 * @param source the statement's bytes, in UTF-8
 * @param parameters for the `?` of a prepared statement
 * @returns null for a statement that holds nothing but blanks and comments
 * @throws AdminError for what the client did wrong; anything else is a fault of ours
 */
export async function runAdminStatement(
  source: Buffer,
  session: CommandSession,
  context: CommandContext,
  parameters: readonly ParameterValue[] = [],
): Promise<CommandAnswer | null> {
  const audited = new AuditedStatement(source, session, context);
  try {
    const answer = await run(source, session, context, parameters, audited);
    audited.succeeded();
    return answer;
  } catch (error) {
    audited.failed(error);
    throw error;
  }
}

async function run(
  source: Buffer,
  session: CommandSession,
  context: CommandContext,
  parameters: readonly ParameterValue[],
  audited: AuditedStatement,
): Promise<CommandAnswer | null> {
  const statement = readAdminStatement(source);
  if (statement.text === '' && statement.isWhole) return null;
  const { command, match } = findCommand(statement);
  audited.changes = command.changes || writesBehindWith(statement);
  authorize(command, session);
  if (parameters.length > 0 && command.takesParameters !== true)
    throw new AdminError('wrongArgument', `${command.name} takes no parameters: write the values into it`);
  const { state, version, commandTimeoutMs } = context;
  const call = { match, statement, session, state, version, commands: ALL_COMMANDS, parameters };
  return withDeadline(command.execute(call), command.timeoutMs ?? commandTimeoutMs, command.name);
}
