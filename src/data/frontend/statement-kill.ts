/**
 * A KILL QUERY on its way to a server. The statement may end before it arrives; on MySQL it hits the next one then, so
 * that a connection that its session keeps has to be asked something harmless first.
 */

import { Command } from '../../../protocol/index.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { Backends } from '../backend/backends.ts';
import { killQuery } from '../backend/kill-on-server.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';

export class StatementKill {
  readonly #connection: BackendConnection;
  #isOver = false;
  /** The statement has ended: a KILL that has not been sent yet is not wanted any more. */
  #isWanted = true;
  #whenOver: (() => void) | null = null;

  constructor(backends: Backends, connection: BackendConnection) {
    this.#connection = connection;
    const over = (): void => {
      this.#isOver = true;
      this.#whenOver?.();
    };
    killQuery(backends, connection, () => this.#isWanted, over);
  }

  /**
   * The statement has ended.
   * @param done the connection may be used again; it is not called if that has been lost.
   */
  absorb(done: () => void, lost: (reason: string) => void): void {
    this.#isWanted = false;
    const ask = (): void => {
      this.#whenOver = null;
      if (this.#connection.isClosed) {
        lost(this.#connection.closeReason);
        return;
      }
      // Hit or not, it has taken what was left of the KILL with it.
      this.#connection.sendCommand(Command.COM_QUERY, 'DO 0', ownReply(new RecordingReply(done, lost)));
    };
    if (this.#isOver) ask();
    else this.#whenOver = ask;
  }
}
