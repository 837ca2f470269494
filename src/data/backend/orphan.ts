/** Takes the answer of a client that has gone, on a connection that others still use. */

import type { BackendConnection } from './backend-connection.ts';
import type { Backends } from './backends.ts';
import type { ReplyOwner } from './expected-reply.ts';

export class Orphan implements ReplyOwner {
  readonly #backends: Backends;
  readonly #connection: BackendConnection;

  constructor(backends: Backends, connection: BackendConnection) {
    this.#backends = backends;
    this.#connection = connection;
  }

  replyComplete(): void {
    this.#backends.poolOf(this.#connection.server.address)?.batchDone(this.#connection);
  }

  replyLost(): void {
    // Nobody waits for it.
  }
}
