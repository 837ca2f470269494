/**
 * Marks the transactions of a session so that they can be found again. In front of the COMMIT of a transaction that may
 * have written goes a SAVEPOINT with a name of its own, in the same write. Both flavours log it inside the transaction,
 * on the primary and on every replica that logs what it applies, if and only if there is something of the transaction to
 * log; it changes nothing, and needs no privilege. Where the answer to the COMMIT is lost, the binlog of whoever is
 * primary then tells whether the transaction is there.
 */

import { Command, StatusFlag } from '../../../protocol/index.ts';
import type { CommitDoubt } from '../../common/commit-outcome.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import type { Plan } from '../router/plan.ts';
import type { CommitDoubts } from './commit-doubts.ts';

/** What ends a transaction and does nothing else, unless `completion_type` says so. */
const PLAIN = /^commit(?: work)?$/i;
const NO_CHAIN: ReadonlySet<string | undefined> = new Set(['NO_CHAIN', '0', undefined]);

export class CommitTag {
  readonly #doubts: CommitDoubts;
  /** The open transaction may have written. */
  #wrote = false;
  /** Of the COMMIT that runs. */
  #tag: string | null = null;
  #connection: BackendConnection | null = null;
  #sentAtMs = 0;
  #refused = false;

  constructor(doubts: CommitDoubts) {
    this.#doubts = doubts;
  }

  /** A statement is about to be sent: a COMMIT gets its mark in front of it. */
  sends(connection: BackendConnection, plan: Plan | null, variables: SessionVariables | null): void {
    this.#tag = null;
    if (plan === null) return;
    const { kind, mayWrite } = plan.statement;
    if (mayWrite) this.#wrote = true;
    if (!this.#wrote || kind !== StatementKind.commit || !this.#doubts.isEnabled) return;
    if ((connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0) return;
    const isPlain = PLAIN.test(plan.normalized.toString('latin1'));
    if (isPlain && NO_CHAIN.has(variables?.values.get('completion_type'))) this.#send(connection);
  }

  /** It was answered. */
  ended(inTransaction: boolean): void {
    this.#tag = null;
    this.#connection = null;
    if (!inTransaction) this.#wrote = false;
  }

  /** @returns what is to be found out about the COMMIT whose answer was lost; null where nothing can be. */
  doubt(wasInterrupted: boolean): CommitDoubt | null {
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
      // A KILL may have hit the savepoint and let the COMMIT pass.
      isTagSure: !this.#refused && !wasInterrupted,
      waitMs: this.#doubts.waitMs,
    };
  }

  #send(connection: BackendConnection): void {
    const tag = this.#doubts.nextTag();
    this.#tag = tag;
    this.#connection = connection;
    this.#sentAtMs = Date.now();
    this.#refused = false;
    const reply = new RecordingReply(
      (_, { errno }) => {
        if (errno !== 0 && this.#tag === tag) this.#refused = true;
      },
      () => undefined,
    );
    connection.sendCommand(Command.COM_QUERY, `SAVEPOINT \`${tag}\``, ownReply(reply));
  }
}
