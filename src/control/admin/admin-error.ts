/** What an admin command says when it cannot be done. The numbers are MySQL's, so that clients treat them as usual. */

import type { ClientError } from '../../common/errors.ts';

const NUMBERS = {
  /** ER_ACCESS_DENIED_ERROR: tools take it for "not for this user" and go on. */
  accessDenied: { errno: 1045, sqlState: '28000' },
  /** ER_PARSE_ERROR */
  syntax: { errno: 1064, sqlState: '42000' },
  /** ER_WRONG_ARGUMENTS */
  wrongArgument: { errno: 1210, sqlState: 'HY000' },
  /** ER_INVALID_CHARACTER_STRING */
  invalidText: { errno: 1300, sqlState: 'HY000' },
  /** ER_QUERY_TIMEOUT */
  timeout: { errno: 3024, sqlState: 'HY000' },
} as const;
export type AdminErrorKind = keyof typeof NUMBERS;

/** A sentence longer than this tells nothing more (MYSQL_ERRMSG_SIZE). */
const MAX_MESSAGE_LENGTH = 500;
const MAX_QUOTED_LENGTH = 60;

export class AdminError extends Error {
  readonly kind: AdminErrorKind;

  constructor(kind: AdminErrorKind, message: string) {
    super(message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message);
    this.name = 'AdminError';
    this.kind = kind;
  }

  toClientError(): ClientError {
    return { ...NUMBERS[this.kind], message: this.message };
  }
}

/** What the client wrote, cut to what fits in a sentence. */
export function quoted(text: string): string {
  return `'${text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text}'`;
}
