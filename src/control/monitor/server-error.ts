/** What the errors of servers and sockets mean to the monitor. */

import {
  ER_CON_COUNT_ERROR,
  ER_DBACCESS_DENIED_ERROR,
  ER_SPECIFIC_ACCESS_DENIED_ERROR,
  ER_TABLEACCESS_DENIED_ERROR,
  ER_TOO_MANY_USER_CONNECTIONS,
  ER_USER_LIMIT_REACHED,
} from '../../common/server-errno.ts';

function field(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** MySQL's error number; 0 for an error that no server sent. */
export function errnoOf(error: unknown): number {
  const errno = field(error, 'errno');
  // A socket's errno is negative.
  return typeof errno === 'number' && errno > 0 ? errno : 0;
}

/** What a server says about itself can be anything: it must not break a line or fill a log. */
const MAX_MESSAGE_LENGTH = 300;

function clean(text: string): string {
  const line = text.replace(/\p{C}+/gu, '?').trim() || 'an error without a message';
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}…` : line;
}

/** One line for logs and events; never holds a password. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = field(error, 'code');
  // An AggregateError (one per address tried) has no message of its own.
  if (message === '' && typeof code === 'string') return clean(code);
  return clean(typeof code === 'string' && !message.includes(code) ? `${message} (${code})` : message);
}

/** The server is full for another connection, which says that it lives and nothing else. */
export function isServerFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return (
    errno === ER_CON_COUNT_ERROR || errno === ER_TOO_MANY_USER_CONNECTIONS || errno === ER_USER_LIMIT_REACHED
  );
}

/** The account may connect but lacks a privilege for the statement. */
export function isDenied(error: unknown): boolean {
  const errno = errnoOf(error);
  return (
    errno === ER_DBACCESS_DENIED_ERROR ||
    errno === ER_TABLEACCESS_DENIED_ERROR ||
    errno === ER_SPECIFIC_ACCESS_DENIED_ERROR
  );
}

/** A check that failed for a reason that its message explains better than the server's own. */
export class CheckFailedError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'CheckFailedError';
  }
}
