/**
 * A prepared statement as its client knows it: an id, the types of its parameters, and, where it holds long data or
 * a cursor, the backend statement that is its own as long as that lasts.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 */

import {
  ColumnType,
  framePacket,
  MAX_FRAGMENT_BYTES,
  parametersOverrun,
  writePacketHeader,
} from '../../../protocol/index.ts';
import { copyBytes } from '../../common/copy-bytes.ts';
import type { ClientError } from '../../common/errors.ts';
import { keptCopy } from '../../common/kept-copy.ts';
import { hashBytes } from '../../sql/token-hash.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { type BackendStatement, nextPreparation } from '../backend/backend-statements.ts';
import type { StatementDefinition } from '../backend/statement-definition.ts';
import type { Plan } from '../router/plan.ts';
import type { WrittenStatement } from './session-rules.ts';

/** Command, statement id, flags, iteration count. */
const FIXED_BYTES = 10;
const ID_OFFSET = 1;
const FLAGS_OFFSET = 5;
const NO_TYPES = Buffer.alloc(0);

function holdsTime(types: Buffer): boolean {
  const { MYSQL_TYPE_TIME, MYSQL_TYPE_TIME2 } = ColumnType;
  for (let at = 0; at < types.length; at += 2)
    if (types[at] === MYSQL_TYPE_TIME || types[at] === MYSQL_TYPE_TIME2) return true;
  return false;
}

/** Filled for each execution and copied at once. */
const header = Buffer.allocUnsafe(4);
const typesFollow = Buffer.from([1]);

export class ClientStatement {
  readonly id: number;
  readonly plan: Plan;
  /** As its client prepared it. */
  readonly prepared: StatementDefinition;
  parameterCount = 0;
  /** As its client was told last, by the answer to PREPARE or to an execution; 0: no result set. */
  columnCount = 0;
  /**
   * What runs: `prepared`, its variant for the state of the session, or for one execution its text with values in the
   * place of calls.
   */
  definition: StatementDefinition;
  /** When its client had the answer to COM_STMT_PREPARE (`nextPreparation`); 0: not yet. */
  #preparedAt = 0;
  /** It was prepared without a schema, and asks which one it is in: only its first connection knows. */
  readonly staysWhereItIs: boolean;
  /** As its client wrote it, where query rules have changed it. */
  readonly written: WrittenStatement | null;
  #own: BackendStatement | null = null;
  #ownOn: BackendConnection | null = null;
  hasCursor = false;
  hasLongData = false;
  /** Long data could not be taken: told by the next execution, as a server does. */
  longDataError: ClientError | null = null;
  /** A server has refused its long data, and may go on telling of that. */
  longDataRefused = false;
  /** Two bytes for each parameter, as the client bound them last. */
  #types: Buffer = NO_TYPES;
  #bindsTime = false;
  #opensCursor = false;
  /** Where the flag stands that says whether types follow, in the execution that is on its way; 0: nowhere. */
  #flagOffset = 0;
  /** Parameters that have long data. */
  readonly #longParameters = new Set<number>();

  constructor(
    id: number,
    plan: Plan,
    definition: StatementDefinition,
    staysWhereItIs: boolean,
    written: WrittenStatement | null = null,
  ) {
    this.id = id;
    this.written = written;
    this.staysWhereItIs = staysWhereItIs;
    this.plan = plan;
    this.prepared = definition;
    this.definition = definition;
  }

  /** The client has its id. */
  wasPrepared(): void {
    this.#preparedAt = nextPreparation();
  }

  /** A result has come. @returns false if its client was told before that it has another number of columns */
  knowsColumns(columnCount: number): boolean {
    if (columnCount === this.columnCount || this.columnCount === 0) return true;
    this.columnCount = columnCount;
    return false;
  }

  /** It must have a backend statement for itself. */
  get wantsOwn(): boolean {
    return this.#opensCursor || this.hasLongData;
  }

  /** It needs the connection that it is on. */
  get holdsConnection(): boolean {
    return this.staysWhereItIs || this.hasCursor || this.hasLongData;
  }

  /**
   * Whether a backend statement of `definition` does what the client's own would: one that is executed in another state
   * than it was prepared in must not have been there before, since tables may have changed in between.
   */
  isServedBy(statement: BackendStatement): boolean {
    if (this.wantsUnbound && statement.typesBound) return false;
    return !this.definition.isVariant || statement.preparedAt > this.#preparedAt;
  }

  /** The backend statement that nobody else uses, if it has one on this connection. */
  ownOn(connection: BackendConnection): BackendStatement | null {
    return this.#ownOn === connection ? this.#own : null;
  }

  /** Takes a backend statement of the connection for itself. */
  take(connection: BackendConnection, statement: BackendStatement): void {
    this.#disown(0);
    connection.statements.take(statement);
    this.#own = statement;
    this.#ownOn = connection;
  }

  /** After a command: what is clean serves others again. @param limit statements that a connection may have. */
  release(limit: number): void {
    if (!this.holdsConnection) this.#disown(limit);
  }

  /** COM_STMT_CLOSE of the client. */
  closed(limit: number): void {
    this.#disown(this.holdsConnection ? 0 : limit);
  }

  /** @param limit 0: it is not clean, and is closed. */
  #disown(limit: number): void {
    const own = this.#own;
    const connection = this.#ownOn;
    this.#own = null;
    this.#ownOn = null;
    if (own === null || connection === null || connection.isClosed) return;
    if (limit > 0 && !own.isUnsure) connection.statements.giveBack(own, limit);
    else connection.statements.close(own, true);
  }

  /** Whether the connection can execute it without preparing it first. */
  isReadyOn(connection: BackendConnection): boolean {
    if (this.ownOn(connection) !== null) return true;
    const there = connection.statements.peek(this.definition);
    return there !== null && this.isServedBy(there);
  }

  /** Types have never been bound: the backend statement must not have any from others. */
  get wantsUnbound(): boolean {
    return this.#flagOffset > 0 && this.#types.length === 0;
  }

  /** Looks at a COM_STMT_EXECUTE in `buffer[start, end)`; its types are remembered. */
  readExecute(buffer: Buffer, start: number, end: number): void {
    this.#opensCursor = end - start > FLAGS_OFFSET && buffer[start + FLAGS_OFFSET] !== 0;
    this.#flagOffset = 0;
    const count = this.parameterCount;
    if (count === 0) return;
    const flag = FIXED_BYTES + ((count + 7) >> 3);
    if (start + flag >= end) return;
    if (buffer[start + flag] !== 1) {
      this.#flagOffset = flag;
      return;
    }
    const from = start + flag + 1;
    const to = from + 2 * count;
    // What is too short is for the server to refuse.
    if (to > end) return;
    const known = this.#types;
    if (known.length !== 2 * count) this.#types = keptCopy(buffer, from, to);
    else if (known.compare(buffer, from, to) !== 0) buffer.copy(known, 0, from, to);
    else return;
    this.#bindsTime = holdsTime(this.#types);
  }

  /** Whether a parameter is of the type TIME: beside a DATETIME it is one of the current day. */
  get bindsTime(): boolean {
    return this.#bindsTime;
  }

  /**
   * Whether a value in the COM_STMT_EXECUTE that `readExecute` has seen claims to reach beyond the packet.
   * @param start of its payload.
   */
  overruns(buffer: Buffer, start: number, end: number): boolean {
    const types = this.#types;
    if (types.length === 0) return false;
    const nullBitmap = start + FIXED_BYTES;
    const flag = nullBitmap + ((this.parameterCount + 7) >> 3);
    const values = this.#flagOffset === 0 ? flag + 1 + types.length : flag + 1;
    const longData = this.hasLongData ? this.#longParameters : null;
    return parametersOverrun(buffer, values, end, { types, nullBitmap, longData });
  }

  /** Goes on from `hash` with the values in the COM_STMT_EXECUTE that `readExecute` has seen; types do not matter. */
  hashParameters(buffer: Buffer, start: number, end: number, hash: number): number {
    const flag = start + FIXED_BYTES + ((this.parameterCount + 7) >> 3);
    if (this.parameterCount === 0 || flag >= end) return hash;
    const nulls = hashBytes(buffer, start + FIXED_BYTES, flag, hash);
    const values = flag + 1 + (this.#flagOffset === 0 ? 2 * this.parameterCount : 0);
    return values < end ? hashBytes(buffer, values, end, nulls) : nulls;
  }

  /**
   * Types and values of the COM_STMT_EXECUTE that `readExecute` has seen, to `out` from `at` on: what tells it apart from other
   * executions of the same statement.
   * @returns where they end; -1 for more than `maxBytes`, or where something is missing.
   */
  writeParameters(
    out: Buffer,
    at: number,
    maxBytes: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): number {
    const count = this.parameterCount;
    if (count === 0) return at;
    const types = this.#types;
    const nulls = start + FIXED_BYTES;
    const flag = nulls + ((count + 7) >> 3);
    const values = flag + 1 + (this.#flagOffset === 0 ? 2 * count : 0);
    if (types.length !== 2 * count || values > end) return -1;
    if (flag - nulls + types.length + end - values > maxBytes) return -1;
    const typesAt = copyBytes(out, at, buffer, nulls, flag);
    const valuesAt = copyBytes(out, typesAt, types, 0, types.length);
    return copyBytes(out, valuesAt, buffer, values, end);
  }

  /**
   * The same statement for an execution that its client does not wait for, in `buffer[start, end)`, and its packet with all
   * that it needs.
   */
  copyFor(
    buffer: Buffer,
    start: number,
    end: number,
  ): { readonly statement: ClientStatement; readonly packet: Buffer } {
    const packet = this.executionWithTypes(buffer, start, end) ?? Buffer.from(buffer.subarray(start, end));
    const statement = new ClientStatement(this.id, this.plan, this.prepared, false, this.written);
    statement.parameterCount = this.parameterCount;
    statement.readExecute(packet, 0, packet.length);
    return { statement, packet };
  }

  /** A COM_STMT_SEND_LONG_DATA for the parameter of this number. */
  readLongData(parameter: number): void {
    if (!this.hasLongData) this.#longParameters.clear();
    this.hasLongData = true;
    if (parameter < this.parameterCount) this.#longParameters.add(parameter);
    this.readNothing();
  }

  /** The execution that `readExecute` has seen brings values and no types. */
  get reliesOnTypes(): boolean {
    return this.#flagOffset > 0;
  }

  /** Nothing of an execution: a preparation for long data. */
  readNothing(): void {
    this.#opensCursor = false;
    this.#flagOffset = 0;
  }

  /**
   * The COM_STMT_EXECUTE that `readExecute` has seen in `buffer[start, end)`, with the types that it relies on; null if
   * it brings its own, or needs none.
   */
  executionWithTypes(buffer: Buffer, start: number, end: number): Buffer | null {
    if (this.#flagOffset === 0 || this.#types.length === 0) return null;
    const flag = start + this.#flagOffset;
    const parts = [buffer.subarray(start, flag), typesFollow, this.#types, buffer.subarray(flag + 1, end)];
    return Buffer.concat(parts);
  }

  /** The command in `buffer[start, end)`, as the connection's statement must be told it. */
  send(
    connection: BackendConnection,
    statement: BackendStatement,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    buffer.writeUInt32LE(statement.id, start + ID_OFFSET);
    if (this.#flagOffset === 0) {
      if (this.parameterCount > 0) statement.typesBound = true;
      connection.sendPacket(buffer, start, end);
      return;
    }
    const types = this.#types;
    if (types.length === 0) {
      connection.sendPacket(buffer, start, end);
      return;
    }
    // Others have used the statement with types of their own.
    statement.typesBound = true;
    this.#sendWithTypes(connection, buffer, start, end, types);
  }

  #sendWithTypes(
    connection: BackendConnection,
    buffer: Buffer,
    start: number,
    end: number,
    types: Buffer,
  ): void {
    const flag = start + this.#flagOffset;
    const length = end - start + types.length;
    if (length >= MAX_FRAGMENT_BYTES) {
      const parts = [buffer.subarray(start, flag), typesFollow, types, buffer.subarray(flag + 1, end)];
      connection.socket.append(framePacket(Buffer.concat(parts), 0));
      return;
    }
    const { socket } = connection;
    writePacketHeader(header, 0, length, 0);
    socket.append(header);
    socket.append(buffer, start, flag);
    socket.append(typesFollow);
    socket.append(types);
    if (flag + 1 < end) socket.append(buffer, flag + 1, end);
  }
}
