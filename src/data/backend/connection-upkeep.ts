/**
 * What Sluice itself asks on a connection, and for how long it waits: the state that a session there begins with, a
 * rollback, and whether an expired password has been changed.
 */

import { Command, collationOf } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';
import { setupReplies } from './connection-setup.ts';
import { ownReply, RecordingReply } from './recording-reply.ts';
import { SessionVariables } from './session-variables.ts';
import { UserVariables } from './user-variables.ts';

/** A SET or the like takes a server microseconds; what takes this long will never be answered. */
const OWN_ANSWER_MS = 10_000;

export interface UpkeepListener {
  /** The connection is in the state that a session begins with. */
  prepared(): void;
  refused(failure: ConnectionFailure): void;
}

export class ConnectionUpkeep {
  readonly #connection: BackendConnection;
  readonly #timeoutMs: number;
  readonly #listener: UpkeepListener;
  #deadline: NodeJS.Timeout | null = null;
  /** Own statements not yet answered, and until when they must be. */
  #ownOwed = 0;
  #ownDeadline: NodeJS.Timeout | null = null;

  constructor(connection: BackendConnection, timeoutMs: number, listener: UpkeepListener) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#listener = listener;
  }

  /** For everything that Sluice itself waits for: connecting, a reset, a rollback. */
  startDeadline(): void {
    this.#endDeadline();
    const connection = this.#connection;
    const expire = (): void =>
      connection.close(`${connection.state}: no answer within ${this.#timeoutMs} ms`);
    this.#deadline = setTimeout(expire, this.#timeoutMs);
  }

  #endDeadline(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  /** One of the short statements with which Sluice brings the connection into a session's state. */
  ownAsked(): void {
    this.#ownOwed++;
    const expire = (): void =>
      this.#connection.close(`no answer to a statement of Sluice's own within ${OWN_ANSWER_MS} ms`);
    this.#ownDeadline ??= setTimeout(expire, OWN_ANSWER_MS);
  }

  ownAnswered(): void {
    this.#ownOwed--;
    if (this.#ownOwed > 0 || this.#ownDeadline === null) return;
    clearTimeout(this.#ownDeadline);
    this.#ownDeadline = null;
  }

  /** The connection has closed. */
  end(): void {
    this.#endDeadline();
    if (this.#ownDeadline !== null) clearTimeout(this.#ownDeadline);
  }

  /** Ends whatever transaction is open; a failure closes the connection. */
  rollback(done: () => void): void {
    this.startDeadline();
    const recorder = new RecordingReply(
      (_, result) => {
        this.#endDeadline();
        if (result.errno === 0) done();
        else this.#connection.close(`ROLLBACK failed: ${result.errno} ${result.errorMessage}`);
      },
      () => undefined,
    );
    this.#connection.sendCommand(Command.COM_QUERY, 'ROLLBACK', ownReply(recorder));
  }

  prepare(afterReset: boolean): void {
    const connection = this.#connection;
    setupReplies(connection, afterReset, {
      done: (found) => {
        this.#endDeadline();
        connection.variables = found.variables;
        connection.lastInsertId = '0';
        connection.userVariables = UserVariables.none;
        // After a reset MySQL has the global character set, not the one of the handshake: no session starts so.
        connection.initialVariables ??= found.variables;
        connection.variablesAfterReset ??= found.afterReset;
        connection.schema = found.schema;
        connection.tracksState = found.tracksState;
        connection.initConnect = found.initConnect;
        this.#listener.prepared();
      },
      refused: (errno, message, tracksState) => {
        if (connection.key.ownerId !== null && !afterReset) this.#confine(tracksState);
        else this.#listener.refused({ errno, sqlState: 'HY000', message });
      },
      failed: (reason) => connection.close(reason),
    });
  }

  /** Its variables cannot be read; how the client's bytes are to be read is what its handshake says. */
  #confine(tracksState: boolean): void {
    const connection = this.#connection;
    this.#endDeadline();
    connection.confined = true;
    connection.tainted = true;
    connection.tracksState = tracksState;
    const charset = collationOf(connection.collationId)?.charset ?? 'utf8mb4';
    connection.variables = SessionVariables.of([['character_set_client', charset]]);
    this.#listener.prepared();
  }

  /** After a statement that may have changed the password. A failure closes the connection. */
  tryConfinement(done: () => void, lost: (reason: string) => void): void {
    const connection = this.#connection;
    this.startDeadline();
    const answered = (): void => {
      this.#endDeadline();
      done();
    };
    setupReplies(connection, false, {
      done: (found) => {
        connection.confined = false;
        connection.variables = found.variables;
        connection.schema = found.schema;
        answered();
      },
      refused: answered,
      failed: (reason) => {
        connection.close(reason);
        lost(reason);
      },
    });
  }
}
