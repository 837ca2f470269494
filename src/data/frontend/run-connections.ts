/** The connections of a session's run: the one that its command is on, the one that the session keeps between commands,
 * and how they are given back. */

import { clientError } from '../../common/errors.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { type LeftBehind, NOTHING_LEFT } from '../backend/check-in.ts';
import type { ConnectionHolder } from '../backend/connection-holder.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { Orphan } from '../backend/orphan.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import { RunPhase } from './run-phase.ts';
import type { RunParts } from './run-state.ts';

/** Something may be there that nobody has seen. */
const SUSPECT: LeftBehind = { ...NOTHING_LEFT, untracked: true };

export class RunConnections implements ConnectionHolder {
  readonly #run: RunParts;

  constructor(run: RunParts) {
    this.#run = run;
  }

  /** @param shared with other sessions: it has no holder. */
  taken(connection: BackendConnection, shared: boolean): void {
    const { now } = this.#run;
    now.connection = connection;
    now.shared = shared;
    if (!shared) connection.holder = this;
  }

  poolOf(connection: BackendConnection): ServerPool | null {
    return this.#run.context.backends.poolOf(connection.server.address);
  }

  /** An idle connection, to read from it what the session has left there. @returns what gives it back */
  borrow(connection: BackendConnection): (() => void) | null {
    const pool = this.poolOf(connection);
    return pool?.takeIdle(connection) === true ? () => pool.checkIn(connection, NOTHING_LEFT) : null;
  }

  /** The command that was on it has ended, and the session does not keep it. */
  leave(connection: BackendConnection): void {
    if (this.#run.now.shared) this.poolOf(connection)?.batchDone(connection);
    else this.#giveBack(connection, this.#run.aftermath.isSuspect ? SUSPECT : NOTHING_LEFT);
  }

  #giveBack(connection: BackendConnection, left: LeftBehind): void {
    const pool = this.poolOf(connection);
    if (pool === null) connection.quit('its server was removed');
    else pool.checkIn(connection, left);
  }

  /**
   * Lets go of the held connection.
   * @param cleaned called once nothing of the session is left on its server: locks, temporary tables; maybe at once
   */
  releaseHeld(left: LeftBehind, cleaned: (() => void) | null = null): void {
    const { now } = this.#run;
    const { held } = now;
    now.held = null;
    now.replay?.clear();
    if (held === null || held.isClosed) cleaned?.();
    else {
      held.cleaned = cleaned;
      this.#giveBack(held, left);
    }
  }

  /** The session ends. @param owner of the replies that are awaited. */
  abandon(owner: ReplyOwner): void {
    const { now, client, context } = this.#run;
    const { connection, held } = now;
    now.connection = null;
    now.held = null;
    if (connection !== null && connection !== held) {
      connection.socket.resume();
      // A batch serves others too; a statement of one's own that nobody waits for ends with its connection.
      if (now.shared && !client.marks.isInFlux)
        connection.replies.abandon(owner, new Orphan(context.backends, connection));
      else connection.close('the client has gone');
    }
    if (held === null) return;
    if (held.owed > 0 || held.replies.awaitsInfile) held.close('the client has gone');
    else this.#giveBack(held, client.state.leftBehind());
  }

  /** Of the connection to the primary that the session has for itself now, 0 for none. */
  get primaryThreadId(): number {
    const { now } = this.#run;
    const connection = now.connection ?? now.held;
    if (connection === null || connection.holder !== this) return 0;
    return connection.server.role === 'primary' ? connection.threadId : 0;
  }

  /** What a planned change of the primary has to wait for: a transaction, a pin, a statement that may write. */
  get isOnPrimary(): boolean {
    const { now, context } = this.#run;
    const connection = now.held ?? now.connection;
    if (connection === null) return false;
    if (connection.server.address !== context.backends.primary?.server.address) return false;
    return this.isBound;
  }

  // ---- ConnectionHolder

  get isBound(): boolean {
    return this.#run.now.held !== null || !this.#run.approach.search.isPlainRead;
  }

  get isOneStatement(): boolean {
    const { held, phase, repeatable, isHarmless } = this.#run.now;
    if (held !== null) return false;
    return phase === RunPhase.settling || (phase === RunPhase.running && !repeatable && !isHarmless);
  }

  /** The server has gone, or has ended the session: what it held there is lost, as on a direct connection. */
  heldConnectionClosed(connection: BackendConnection): void {
    const { now, client } = this.#run;
    if (now.held !== connection || now.connection === connection) return;
    const { address } = connection.server;
    const replay = now.phase === RunPhase.idle ? now.replay : null;
    if (replay?.mayReplay(false, false) === true && client.restores()) {
      replay.begin(address, connection.closeReason, false);
      return;
    }
    now.held = null;
    const pin = [...client.state.pins.keys()].join(', ') || 'transaction';
    const { message } = clientError('PROXY_SESSION_LOST', { address, pin, reason: connection.closeReason });
    client.heldConnectionLost(message);
  }
}
