/**
 * COM_STMT_*: the statements that one session has prepared. Drivers prepare whatever has parameters, some everything.
 * A statement is kept as its text: it is read anew at each execution, as the same text in COM_QUERY would be.
 */

import { isUtf8 } from 'node:buffer';
import {
  type BinaryValue,
  decodeComStmtExecute,
  decodeComStmtExecuteHead,
  decodeComStmtSendLongData,
  type ParameterType,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { AdminError } from './admin-error.ts';
import { countParameters } from './admin-statement.ts';
import type { ParameterValue } from './commands/command.ts';

/** Of one session; a client that does not close its statements finds out here. */
const MOST_STATEMENTS = 1024;
/** Of all texts of one session. */
const MOST_TEXT_BYTES = 4 * 1024 * 1024;
/** MariaDB's word for the statement that was prepared last. */
const LAST_PREPARED = 0xffff_ffff;

export interface PreparedStatement {
  readonly id: number;
  readonly source: Buffer;
  readonly parameterCount: number;
  /** Of the last execution, for those that bring none. */
  types: readonly ParameterType[];
  /** By index of the parameter; bytes that came in front of the execution. */
  readonly longData: Map<number, Buffer>;
}

export interface Execution {
  readonly source: Buffer;
  readonly parameters: readonly ParameterValue[];
}

/** A fault of the client that has a number of its own. */
export class StatementError extends Error {
  readonly error: ClientError;

  constructor(error: ClientError) {
    super(error.message);
    this.name = 'StatementError';
    this.error = error;
  }
}

export class PreparedStatements {
  readonly #statements = new Map<number, PreparedStatement>();
  readonly #maxLongDataBytes: number;
  #lastId = 0;
  #textBytes = 0;

  /** @param maxLongDataBytes of one parameter that is sent in pieces */
  constructor(maxLongDataBytes: number) {
    this.#maxLongDataBytes = maxLongDataBytes;
  }

  /** @throws StatementError when there are too many */
  prepare(source: Buffer): PreparedStatement {
    if (this.#statements.size >= MOST_STATEMENTS || this.#textBytes + source.length > MOST_TEXT_BYTES) {
      const isCount = this.#statements.size >= MOST_STATEMENTS;
      throw new StatementError(
        clientError('PROXY_TOO_MANY_STATEMENTS', {
          setting: isCount
            ? 'the most statements of a session of the admin port'
            : 'the most bytes of their texts',
          limit: isCount ? MOST_STATEMENTS : MOST_TEXT_BYTES,
        }),
      );
    }
    this.#lastId = (this.#lastId + 1) >>> 0;
    const statement = {
      id: this.#lastId,
      source: Buffer.from(source),
      parameterCount: countParameters(source),
      types: [],
      longData: new Map(),
    };
    this.#statements.set(statement.id, statement);
    this.#textBytes += source.length;
    return statement;
  }

  /**
   * @param payload the whole COM_STMT_EXECUTE
   * @throws StatementError for an unknown one, ProtocolError for nonsense, AdminError for text that is not UTF-8
   */
  execution(payload: Buffer, capabilities: number): Execution {
    const { statementId } = decodeComStmtExecuteHead(payload);
    const statement = this.#find(statementId, 'mysqld_stmt_execute');
    const { parameterCount, longData, types } = statement;
    const context = { parameterCount, knownTypes: types, longData: new Set(longData.keys()) };
    const sent = decodeComStmtExecute(payload, capabilities, context);
    statement.types = sent.types;
    const parameters = sent.values.map((value, index) => {
      if (value === undefined) return textOf(longData.get(index) ?? Buffer.alloc(0));
      return parameterOf(value);
    });
    longData.clear();
    return { source: statement.source, parameters };
  }

  /** Never answered: what is wrong is told by the execution. */
  longData(payload: Buffer): void {
    const { statementId, parameterIndex, data } = decodeComStmtSendLongData(payload);
    const statement = this.#statements.get(statementId);
    if (statement === undefined || parameterIndex >= statement.parameterCount) return;
    const before = statement.longData.get(parameterIndex) ?? Buffer.alloc(0);
    // One byte more than allowed is kept, so that the execution can tell.
    const room = this.#maxLongDataBytes + 1 - before.length;
    statement.longData.set(parameterIndex, Buffer.concat([before, data.subarray(0, room)]));
  }

  /** @throws StatementError for an unknown one */
  reset(statementId: number): void {
    this.#find(statementId, 'mysqld_stmt_reset').longData.clear();
  }

  close(statementId: number): void {
    const statement = this.#statements.get(statementId);
    if (statement === undefined) return;
    this.#statements.delete(statementId);
    this.#textBytes -= statement.source.length;
  }

  closeAll(): void {
    this.#statements.clear();
    this.#textBytes = 0;
  }

  #find(statementId: number, command: string): PreparedStatement {
    const id = statementId === LAST_PREPARED ? this.#lastId : statementId;
    const statement = this.#statements.get(id);
    if (statement === undefined)
      throw new StatementError(clientError('PROXY_UNKNOWN_STATEMENT', { statementId, command }));
    for (const data of statement.longData.values()) {
      if (data.length > this.#maxLongDataBytes)
        throw new AdminError('wrongArgument', `A value is longer than ${this.#maxLongDataBytes} bytes`);
    }
    return statement;
  }
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new AdminError('invalidText', 'A value is not valid UTF-8');
  return bytes.toString('utf8');
}

function parameterOf(value: BinaryValue): ParameterValue {
  // Drivers send whole numbers as DOUBLE too, which would be `7.0` in a column of texts.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value === 'bigint') return value;
  if (Buffer.isBuffer(value)) return textOf(value);
  const two = (part: number): string => String(part).padStart(2, '0');
  const fraction = (microseconds: number): string =>
    microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`;
  if ('year' in value) {
    const { year, month, day, hour, minute, second, microsecond } = value;
    const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
    return `${date} ${two(hour)}:${two(minute)}:${two(second)}${fraction(microsecond)}`;
  }
  const { negative, days, hours, minutes, seconds, microseconds } = value;
  const sign = negative ? '-' : '';
  return `${sign}${two(days * 24 + hours)}:${two(minutes)}:${two(seconds)}${fraction(microseconds)}`;
}
