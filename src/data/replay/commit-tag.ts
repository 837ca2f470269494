/**
 * Marks the transactions of a session so that they can be found again. In front of the COMMIT of a transaction that may
 * have written goes a SAVEPOINT with a name of its own. Both flavours log it inside the transaction, on the primary and on
 * every replica that logs what it applies, if and only if there is something of the transaction to log; it changes nothing,
 * and needs no privilege. Where the answer to the COMMIT is lost, the binlog of whoever is primary then tells whether the
 * transaction is there.
 *
 * Both are one text of two statements, of which a server does not execute the second one if the first one has failed (a
 * KILL QUERY has hit it, say): so no transaction is committed without its mark, and what is not found is not there.
 */

import {
  AnswerShape,
  Command,
  framePacket,
  type ResponseSink,
  type ResponseTracker,
  StatusFlag,
} from '../../../protocol/index.ts';
import type { CommitDoubt } from '../../common/commit-outcome.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { RECORDER_CAPABILITIES } from '../backend/recording-reply.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import { allowSeveral } from '../backend/several-statements.ts';
import type { Plan } from '../router/plan.ts';
import type { CommitDoubts } from './commit-doubts.ts';

/** What ends a transaction and does nothing else, unless `completion_type` says so. */
const PLAIN = /^commit(?: work)?$/i;
const NO_CHAIN: ReadonlySet<string | undefined> = new Set(['NO_CHAIN', '0', undefined]);
const COMMIT = Buffer.from('COMMIT');
/** A longer comment in it is left out. */
const MAX_TEXT_BYTES = 4096;
const SEMICOLON = 0x3b;
/** Of the answer to the second statement, as the server counts. */
export const COMMIT_SEQUENCE = 2;

export class CommitTag {
  readonly #doubts: CommitDoubts;
  /** The open transaction may have written. */
  #wrote = false;
  /** Of the COMMIT that runs. */
  #tag: string | null = null;
  #connection: BackendConnection | null = null;
  #sentAtMs = 0;

  constructor(doubts: CommitDoubts) {
    this.#doubts = doubts;
  }

  /** A statement is about to be sent. @returns whether it is a COMMIT that is to be sent by `send`. */
  marks(connection: BackendConnection, plan: Plan | null, variables: SessionVariables | null): boolean {
    this.#tag = null;
    if (plan === null) return false;
    const { kind, mayWrite } = plan.statement;
    if (mayWrite) this.#wrote = true;
    if (!this.#wrote || kind !== StatementKind.commit || !this.#doubts.isEnabled) return false;
    if ((connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0) return false;
    const isPlain = PLAIN.test(plan.normalized.toString('latin1'));
    return isPlain && NO_CHAIN.has(variables?.values.get('completion_type'));
  }

  /**
   * Sends mark and COMMIT.
   * @param text the client's; null where there is none.
   * @param expect puts the COMMIT's entry into the queue of replies; its answer begins with `COMMIT_SEQUENCE`.
   */
  send(connection: BackendConnection, text: Buffer | null, expect: () => void): void {
    const tag = this.#doubts.nextTag();
    this.#tag = tag;
    this.#connection = connection;
    this.#sentAtMs = Date.now();
    allowSeveral(connection);
    const reply = new MarkReply();
    connection.expect({
      shape: AnswerShape.single,
      owner: reply,
      sink: reply,
      clientCapabilities: RECORDER_CAPABILITIES,
      statusBefore: 0,
      repeatable: false,
      isOwn: true,
    });
    expect();
    // Nothing may follow, not even a comment.
    const isPlain = text !== null && text.length <= MAX_TEXT_BYTES && !text.includes(SEMICOLON);
    const commit = isPlain ? text : COMMIT;
    const mark = Buffer.from(`\x03SAVEPOINT \`${tag}\`; `);
    mark[0] = Command.COM_QUERY;
    connection.socket.append(framePacket(Buffer.concat([mark, commit]), 0));
  }

  /** It was answered. */
  ended(inTransaction: boolean): void {
    this.#tag = null;
    this.#connection = null;
    if (!inTransaction) this.#wrote = false;
  }

  /** @returns what is to be found out about the COMMIT whose answer was lost; null where nothing can be. */
  doubt(): CommitDoubt | null {
    const tag = this.#tag;
    const connection = this.#connection;
    this.#tag = null;
    this.#connection = null;
    this.#wrote = false;
    if (tag === null || connection === null) return null;
    return {
      tag,
      address: connection.server.address,
      threadId: connection.threadId,
      sentAtMs: this.#sentAtMs,
      waitMs: this.#doubts.waitMs,
    };
  }
}

/** The answer to the SAVEPOINT. If it is an error there is no other one, and it is what becomes of the COMMIT. */
class MarkReply implements ReplyOwner, ResponseSink {
  #error: Buffer | null = null;

  forward(): boolean {
    return false;
  }

  okPacket(): Buffer | null {
    return null;
  }

  errPacket(_errno: number, payload: Buffer): boolean {
    this.#error = Buffer.from(payload);
    return false;
  }

  localInfile(): void {
    // No answer to SAVEPOINT asks for a file.
  }

  replyComplete(connection: BackendConnection, { statusFlags }: ResponseTracker): void {
    if (this.#error !== null) connection.answerNext(framePacket(this.#error, COMMIT_SEQUENCE));
    else if ((statusFlags & StatusFlag.SERVER_MORE_RESULTS_EXISTS) === 0)
      connection.close('two statements were sent, and the server knows of one');
  }

  replyLost(): void {
    // Who waits for the COMMIT is told.
  }
}
