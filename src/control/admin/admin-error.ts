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
  /** ER_BAD_NULL_ERROR */
  notNull: { errno: 1048, sqlState: '23000' },
  /** ER_TABLE_EXISTS_ERROR */
  tableExists: { errno: 1050, sqlState: '42S01' },
  /** ER_BAD_DB_ERROR */
  unknownSchema: { errno: 1049, sqlState: '42000' },
  /** ER_UNKNOWN_SYSTEM_VARIABLE */
  unknownVariable: { errno: 1193, sqlState: 'HY000' },
  /** ER_NON_UNIQ_ERROR */
  ambiguousColumn: { errno: 1052, sqlState: '23000' },
  /** ER_BAD_FIELD_ERROR */
  unknownColumn: { errno: 1054, sqlState: '42S22' },
  /** ER_DUP_ENTRY */
  duplicateKey: { errno: 1062, sqlState: '23000' },
  /** ER_TOO_BIG_SELECT */
  tooLarge: { errno: 1104, sqlState: '42000' },
  /** ER_UNKNOWN_ERROR */
  other: { errno: 1105, sqlState: 'HY000' },
  /** ER_WRONG_VALUE_COUNT_ON_ROW */
  wrongValueCount: { errno: 1136, sqlState: '21S01' },
  /** ER_NO_SUCH_TABLE */
  unknownTable: { errno: 1146, sqlState: '42S02' },
  /** ER_OPTION_PREVENTS_STATEMENT */
  notAllowed: { errno: 1290, sqlState: 'HY000' },
  /** ER_SP_DOES_NOT_EXIST */
  unknownFunction: { errno: 1305, sqlState: '42000' },
  /** ER_CHECK_CONSTRAINT_VIOLATED */
  checkFailed: { errno: 3819, sqlState: 'HY000' },
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
