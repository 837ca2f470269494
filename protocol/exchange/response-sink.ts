/** What the response tracker is told of a command, and whom it tells what passes. */

import type { OkPacket } from '../packets/ok.ts';

/** The shape of the answer that a command gets. */
export const AnswerShape = {
  /** COM_QUERY, COM_STMT_EXECUTE, COM_PROCESS_INFO: OK, ERR, LOCAL INFILE or result sets. */
  query: 0,
  /** One OK, EOF or ERR. */
  single: 1,
  /** COM_STMT_PREPARE. */
  prepare: 2,
  /** COM_FIELD_LIST: definitions up to an EOF. */
  fieldList: 3,
  /** COM_STATISTICS: one packet of text. */
  text: 4,
  /** COM_STMT_FETCH: rows up to an EOF. */
  fetch: 5,
  /** COM_BINLOG_DUMP: packets until ERR or EOF. */
  stream: 6,
} as const;
export type AnswerShape = (typeof AnswerShape)[keyof typeof AnswerShape];

/** Whom the tracker tells what passes. One object per client (or recorder), not per answer. */
export interface ResponseSink {
  /**
   * Bytes for the client, in order. The view is the reader's own buffer.
   * @returns true if the bytes are still referenced after the return (the write did not complete at once), so
   * that the reader must not reuse them.
   */
  forward(buffer: Buffer, start: number, end: number): boolean;
  /**
   * An OK packet that carries session state, or that must be encoded anew.
   * @returns the session-state block that this client is to get, or null.
   */
  okPacket(ok: OkPacket): Buffer | null;
  /**
   * The session-state block of an OK, which may be empty: `okPacket` for what comes often, where nothing of it is for the client.
   * @returns false where it is to be decoded: nothing was made of it.
   */
  sessionState?(buffer: Buffer, start: number, end: number, statusFlags: number): boolean;
  /**
   * @param started part of the answer has gone to the client: then the ERR passes whatever is returned.
   * @returns true to keep the ERR packet from the client (the statement will be run again elsewhere).
   */
  errPacket(errno: number, payload: Buffer, started: boolean): boolean;
  /**
   * An ERR in the middle of an answer. @returns the packet to send in its place, of this sequence id, or null: it is
   * passed on as it is.
   */
  errInstead?(errno: number, sequenceId: number): Buffer | null;
  localInfile(): void;
  /**
   * A COM_STMT_PREPARE has succeeded.
   * @returns the statement id that the client is told.
   */
  statementPrepared?(statementId: number, parameterCount: number, columnCount: number): number;
}
