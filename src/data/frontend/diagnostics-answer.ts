/**
 * Answers to questions about warnings and errors from a list that was read from its connection before somebody else
 * got that. SHOW is answered here, with the packets that the server had sent; GET DIAGNOSTICS becomes a SET of the
 * same variables to the same values and types.
 */

import {
  Capability,
  ColumnType,
  decodeTextRow,
  encodeBinaryRow,
  encodeResultColumn,
  encodeTextRow,
  frameEof,
  frameOk,
  framePacket,
  sqlStateOf,
} from '../../../protocol/index.ts';
import { ConditionalMode, Lexer, TokenKind } from '../../sql/lexer.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import type { Diagnostics } from './diagnostic-list.ts';

const UNSIGNED_BINARY = 160;
const COUNT_LENGTH = 21;
const EOF_HEADER = 0xfe;
const BIGINT = { type: ColumnType.MYSQL_TYPE_LONGLONG, unsigned: true };
const LIST_TYPES = [
  { type: ColumnType.MYSQL_TYPE_VAR_STRING, unsigned: false },
  { type: ColumnType.MYSQL_TYPE_LONG, unsigned: true },
  { type: ColumnType.MYSQL_TYPE_VAR_STRING, unsigned: false },
];

/** The words, numbers and signs of a statement; null if there is anything else in it. */
function wordsOf(buf: Buffer, start: number, end: number, context: LexicalContext): string[] | null {
  const lexer = new Lexer();
  lexer.reset(buf, start, end, context, ConditionalMode.byServer);
  const words: string[] = [];
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind === TokenKind.routeHint || kind === TokenKind.semicolon) continue;
    const text = buf.toString('latin1', lexer.start, lexer.end);
    if (kind === TokenKind.userVariable) words.push(text);
    else if (kind === TokenKind.name || kind === TokenKind.number || kind === TokenKind.operator)
      words.push(text.toUpperCase());
    else return null;
  }
  lexer.release();
  return words;
}

const NUMBER = /^\d+$/;

/** LIMIT n, LIMIT m, n and LIMIT n OFFSET m; null for anything else. */
function limited<T>(items: readonly T[], words: readonly string[]): readonly T[] | null {
  if (words.length === 0) return items;
  const [limit, first = '', separator, second = ''] = words;
  if (limit !== 'LIMIT' || !NUMBER.test(first)) return null;
  if (words.length === 2) return items.slice(0, Number(first));
  if (words.length !== 4 || !NUMBER.test(second)) return null;
  if (separator === ',') return items.slice(Number(first), Number(first) + Number(second));
  return separator === 'OFFSET' ? items.slice(Number(second), Number(second) + Number(first)) : null;
}

/** What servers say of texts without a number of decimals; they differ. */
const TEXT_DECIMALS = { mysql: 31, mariadb: 39 } as const;
const NOT_NULL = 1;
const UNSIGNED_NOT_NULL = 161;
const LEVEL_LENGTH = 28;
const MESSAGE_LENGTH = 2048;

export interface AnswerContext {
  readonly capabilities: number;
  /** MARIADB_CLIENT_EXTENDED_METADATA is negotiated. */
  readonly extendedMetadata: boolean;
  readonly flavor: 'mysql' | 'mariadb';
  /** To COM_STMT_EXECUTE. */
  readonly isBinary: boolean;
  readonly statusFlags: number;
}

/** SHOW WARNINGS, SHOW ERRORS, SHOW COUNT(*) …: @returns the framed answer, or null for anything else. */
export function shownDiagnostics(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  list: Diagnostics,
  answer: AnswerContext,
): Buffer | null {
  const words = wordsOf(buf, start, end, context);
  if (words === null || words[0] !== 'SHOW') return null;
  if (words.slice(1, 5).join(' ') === 'COUNT ( * )') {
    const isErrors = words[5] === 'ERRORS';
    if (words.length !== 6 || (!isErrors && words[5] !== 'WARNINGS')) return null;
    return countAnswer(
      isErrors ? 'error' : 'warning',
      isErrors ? list.errorCount : list.warningCount,
      answer,
    );
  }
  if (words[1] !== 'WARNINGS' && words[1] !== 'ERRORS') return null;
  const indexes = list.rows.map((_, index) => index);
  const wanted = indexes.filter((index) => words[1] === 'WARNINGS' || isError(list, index));
  const shown = limited(wanted, words.slice(2));
  return shown === null ? null : listAnswer(list, shown, answer);
}

/** Results may be in ucs2. */
function plain(value: string | null | undefined): string {
  return (value ?? '').replaceAll('\0', '');
}

function isError(list: Diagnostics, index: number): boolean {
  return plain(list.rows[index]?.[0]) === 'Error';
}

function countAnswer(what: string, count: number, answer: AnswerContext): Buffer {
  const column = {
    name: `@@session.${what}_count`,
    type: ColumnType.MYSQL_TYPE_LONGLONG,
    length: COUNT_LENGTH,
    flags: UNSIGNED_BINARY,
  };
  const row = answer.isBinary ? encodeBinaryRow([count], [BIGINT]) : encodeTextRow([String(count)]);
  return resultset([encodeResultColumn(column, answer)], [row], answer);
}

function listAnswer(list: Diagnostics, indexes: readonly number[], answer: AnswerContext): Buffer {
  const columns = list.columns.length > 0 ? list.columns : ownColumns(answer);
  const rows = indexes.map((index) => {
    const packet = list.packets[index] ?? encodeTextRow(list.rows[index] ?? []);
    if (!answer.isBinary) return packet;
    const [level, , message] = decodeTextRow(packet, columns.length);
    return encodeBinaryRow(
      [level ?? null, Number(plain(list.rows[index]?.[1])), message ?? null],
      LIST_TYPES,
    );
  });
  return resultset(columns, rows, answer);
}

/** For an error that no server has raised. */
function ownColumns(answer: AnswerContext): Buffer[] {
  const decimals = TEXT_DECIMALS[answer.flavor];
  const text = { type: ColumnType.MYSQL_TYPE_VAR_STRING, flags: NOT_NULL, decimals };
  return [
    { ...text, name: 'Level', length: LEVEL_LENGTH },
    { name: 'Code', type: ColumnType.MYSQL_TYPE_LONG, length: 4, flags: UNSIGNED_NOT_NULL },
    { ...text, name: 'Message', length: MESSAGE_LENGTH },
  ].map((column) => encodeResultColumn(column, answer));
}

function resultset(
  columns: readonly Buffer[],
  rows: readonly Buffer[],
  { capabilities, statusFlags }: AnswerContext,
): Buffer {
  const deprecatesEof = (capabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
  const end = { statusFlags, warnings: 0 };
  let sequence = 1;
  const packets = [framePacket(Buffer.from([columns.length]), sequence++)];
  for (const column of columns) packets.push(framePacket(column, sequence++));
  if (!deprecatesEof) packets.push(frameEof(end, capabilities, sequence++));
  for (const row of rows) packets.push(framePacket(row, sequence++ & 0xff));
  packets.push(
    deprecatesEof
      ? frameOk({ ...end, header: EOF_HEADER }, capabilities, sequence & 0xff)
      : frameEof(end, capabilities, sequence & 0xff),
  );
  return Buffer.concat(packets);
}

export interface ConditionContext {
  readonly isMariadb: boolean;
  /** `character_set_results`, in which the messages were read. */
  readonly resultsCharset: string;
  readonly rowCount: number;
}

/**
 * GET DIAGNOSTICS as a SET. @returns null for what cannot be told from the list: the names of the objects concerned,
 * the number of a condition in a variable.
 */
export function diagnosticsAssignment(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  list: Diagnostics,
  condition: ConditionContext,
): string | null {
  const words = wordsOf(buf, start, end, context);
  if (words === null || words[0] !== 'GET') return null;
  let at = words[1] === 'CURRENT' ? 2 : 1;
  if (words[at++] !== 'DIAGNOSTICS') return null;
  let number: number | null = null;
  if (words[at] === 'CONDITION') {
    number = Number(words[at + 1]);
    if (!Number.isInteger(number) || list.rows[number - 1] === undefined) return null;
    at += 2;
  }
  const assignments: string[] = [];
  for (; at < words.length; at += 4) {
    const [target = '', equals, item = '', comma] = words.slice(at, at + 4);
    if (!target.startsWith('@') || equals !== '=' || (comma ?? ',') !== ',') return null;
    const value =
      number === null
        ? statementItem(item, list, condition)
        : conditionItem(item, list, number - 1, condition);
    if (value === null) return null;
    assignments.push(`${target}=${value}`);
  }
  return assignments.length === 0 ? null : `SET ${assignments.join(',')}`;
}

function statementItem(item: string, list: Diagnostics, { rowCount }: ConditionContext): string | null {
  if (item === 'NUMBER') return `CAST(${list.rows.length} AS UNSIGNED)`;
  return item === 'ROW_COUNT' ? String(rowCount) : null;
}

function conditionItem(
  item: string,
  list: Diagnostics,
  index: number,
  { isMariadb, resultsCharset }: ConditionContext,
): string | null {
  const code = Number(plain(list.rows[index]?.[1]));
  const utf8 = isMariadb ? 'utf8mb3' : 'utf8';
  switch (item) {
    case 'MYSQL_ERRNO':
      return `CAST(${code} AS UNSIGNED)`;
    case 'RETURNED_SQLSTATE': {
      const { lastError } = list;
      const state =
        lastError?.errno === code && isError(list, index) ? lastError.sqlState : sqlStateOf(code, isMariadb);
      return `CONVERT(_latin1'${state}' USING ${utf8})`;
    }
    case 'MESSAGE_TEXT': {
      const message = messageOf(list, index);
      const charset = /^[a-z0-9]+$/.test(resultsCharset) ? resultsCharset : utf8;
      return message.length === 0
        ? `CONVERT(_latin1'' USING ${utf8})`
        : `CONVERT(_${charset} 0x${message.toString('hex')} USING ${utf8})`;
    }
    default:
      return null;
  }
}

function messageOf(list: Diagnostics, index: number): Buffer {
  const packet = list.packets[index];
  return (
    (packet === undefined ? null : decodeTextRow(packet, 3)[2]) ?? Buffer.from(list.rows[index]?.[2] ?? '')
  );
}
