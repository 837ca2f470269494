/**
 * What passes of a server's answer on its way to the client: the bytes, what an OK says of the session, and the errors
 * that the client is not to see, or is to see in other words. One for each session, used again for each command.
 */

import { frameErr, type OkPacket, type ResponseSink } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { ER_QUERY_INTERRUPTED } from '../../common/server-errno.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { WriteMarks } from '../cache/write-marks.ts';
import type { SessionCausality } from '../causal/session-causality.ts';
import type { ClientStatement } from './client-statement.ts';
import type { SessionState } from './session-state.ts';

/** `#` in front of the SQLSTATE of an ERR packet. */
const SQL_STATE_MARKER = 0x23;
const NO_SQL_STATE = 'HY000';

export interface PassageClient {
  readonly clientCapabilities: number;
  readonly state: SessionState;
  readonly causality: SessionCausality;
  readonly marks: WriteMarks;
  /** @returns true if the bytes are still referenced. */
  write(bytes: Buffer): boolean;
  /** The client waits for its file to be asked for. */
  localInfile(): void;
}

/** Keeps what passes of an answer: the bytes are the reader's own. */
export interface AnswerCapture {
  passed(bytes: Buffer): void;
}

export interface PassageOwner {
  /** Bytes have gone out. @param retained they are still referenced. */
  passed(retained: boolean): void;
  /** @returns true if the statement is sent elsewhere instead, and the client is not to see this error. */
  movesInstead(errno: number): boolean;
}

export class AnswerPassage implements ResponseSink {
  readonly #client: PassageClient;
  readonly #owner: PassageOwner;
  bytes = 0;
  /** Of the ERR packet; empty while there was none. */
  sqlState = '';
  /** Of the ERR packet, as the server sent it. */
  message = '';
  /** What the client is told in place of the server's error. */
  replacedError: ClientError | null = null;
  /** Errors that must read otherwise to the client than the server said. */
  errorReplacement: ((errno: number) => ClientError | null) | null = null;
  /** Why the statement has been interrupted, where the server knows of a KILL only. */
  interruption: ClientError | null = null;
  /** Who else is interested in the bytes. */
  watcher: AnswerCapture | null = null;
  /** A result that is to be kept for others. */
  capture: AnswerCapture | null = null;
  /** A statement of Sluice's own: the client sees nothing. */
  #silent = false;
  #class: StatementClass | null = null;
  #statement: ClientStatement | null = null;

  constructor(client: PassageClient, owner: PassageOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** @param statement prepared, that the command is about. */
  /** The client has its answer: what comes now it does not see. */
  silence(): void {
    this.#silent = true;
  }

  begin(statementClass: StatementClass | null, statement: ClientStatement | null, silent: boolean): void {
    this.bytes = 0;
    this.sqlState = '';
    this.message = '';
    this.replacedError = null;
    this.interruption = null;
    this.#silent = silent;
    this.#class = statementClass;
    this.#statement = statement;
  }

  forward(buffer: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    this.#client.causality.passes();
    if (this.#silent && this.watcher === null && this.capture === null) return false;
    const bytes = buffer.subarray(start, end);
    this.watcher?.passed(bytes);
    this.capture?.passed(bytes);
    if (this.#silent) return false;
    const retained = this.#client.write(bytes);
    this.#owner.passed(retained);
    return retained;
  }

  sessionState(buffer: Buffer, start: number, end: number, statusFlags: number): boolean {
    if (start === end) return true;
    const { causality, marks, state } = this.#client;
    if (!state.applyRoutine(buffer, start, end, statusFlags)) return false;
    marks.reported(causality.reported(buffer, start, end));
    return true;
  }

  okPacket(ok: OkPacket): Buffer | null {
    const { sessionState } = ok;
    if (sessionState !== null) {
      const { causality, marks } = this.#client;
      marks.reported(causality.reported(sessionState, 0, sessionState.length));
    }
    const statement = this.#class;
    const explained =
      statement === null ||
      statement.pins.length > 0 ||
      statement.named !== null ||
      statement.kind === StatementKind.set ||
      statement.kind === StatementKind.prepare;
    return this.#client.state.apply(ok, explained);
  }

  errPacket(errno: number, payload: Buffer, started: boolean): boolean {
    const hasState = payload[3] === SQL_STATE_MARKER;
    this.sqlState = hasState ? payload.toString('latin1', 4, 9) : NO_SQL_STATE;
    this.message = payload.toString('utf8', hasState ? 9 : 3);
    if (!started && this.#owner.movesInstead(errno)) return true;
    this.#client.causality.failed(errno);
    if (started) return false;
    this.replacedError =
      errno === ER_QUERY_INTERRUPTED ? this.interruption : (this.errorReplacement?.(errno) ?? null);
    return this.replacedError !== null;
  }

  errInstead(errno: number, sequenceId: number): Buffer | null {
    if (errno !== ER_QUERY_INTERRUPTED || this.interruption === null) return null;
    return frameErr(this.interruption, this.#client.clientCapabilities, sequenceId);
  }

  localInfile(): void {
    this.#client.localInfile();
  }

  statementPrepared(statementId: number, parameterCount: number, columnCount: number): number {
    const statement = this.#statement;
    if (statement === null) return statementId;
    statement.parameterCount = parameterCount;
    statement.columnCount = columnCount;
    return statement.id;
  }
}
