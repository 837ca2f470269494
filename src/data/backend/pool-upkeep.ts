/**
 * Closes what a pool has no use for any more, or cannot trust.
 *
 * Period: `look` is called by the janitor of the worker.
 * Effect: connections that have been idle for too long, are too old, or that another worker wants, go. When the server
 *         is shunned its idle ones go at once, and those that owe nothing but reads when that has lasted for STUCK_MS.
 * Stop:   nothing runs by itself.
 */

import type { PoolTerms } from './pool-environment.ts';
import type { PoolGauges } from './pool-gauges.ts';
import type { PoolMembers } from './pool-members.ts';

/** A server that has been shunned for so long is not expected to answer what it has been asked before. */
const STUCK_MS = 3000;

export class PoolUpkeep {
  readonly #terms: PoolTerms;
  readonly #members: PoolMembers;
  readonly #gauges: PoolGauges;
  /** By the wall clock; 0 while it is not. */
  #shunnedSinceMs = 0;

  constructor(terms: PoolTerms, members: PoolMembers, gauges: PoolGauges) {
    this.#terms = terms;
    this.#members = members;
    this.#gauges = gauges;
  }

  /**
   * The server's status may be another one. Connections that stood through an outage may be dead without anybody
   * knowing: a write on one would be lost.
   */
  statusChanged(): void {
    const isShunned = this.#terms.server.status === 'SHUNNED';
    const wasShunned = this.#shunnedSinceMs > 0;
    if (wasShunned === isShunned) return;
    this.#shunnedSinceMs = isShunned ? Date.now() : 0;
    if (!isShunned) return;
    for (const idle of this.#members.idle()) {
      if (idle.lastUser?.owesOn(idle) === true) continue;
      this.#members.removeIdle(idle);
      idle.quit('server-shunned');
    }
  }

  /** @param now by the wall clock */
  look(now: number): void {
    this.#closeStuck(now);
    const { idleTimeoutMs, maxLifetimeMs, minIdle } = this.#terms.settings;
    for (const keyed of this.#members.idleGroups()) {
      for (const connection of [...keyed.values()]) {
        if (connection.lastUser?.owesOn(connection) === true) continue;
        const idleTooLong =
          idleTimeoutMs > 0 && now - connection.idleSince > idleTimeoutMs && keyed.size > minIdle;
        const tooOld = maxLifetimeMs > 0 && now - connection.createdAt > maxLifetimeMs;
        const isWanted = this.#gauges.othersStarve;
        const isExpiring = connection.isExpiring(now);
        if (!idleTooLong && !tooOld && !isWanted && !isExpiring) continue;
        keyed.remove(connection);
        const age = tooOld ? 'too-old' : isExpiring ? 'wait_timeout' : 'idle-timeout';
        connection.quit(isWanted ? 'wanted-by-another-worker' : age);
        // One at a time: who waits may want no more.
        if (isWanted) return;
      }
    }
  }

  /** Reads that a server which answers nothing has had for so long are asked elsewhere. */
  #closeStuck(now: number): void {
    if (this.#shunnedSinceMs === 0 || now - this.#shunnedSinceMs < STUCK_MS) return;
    for (const connection of [...this.#members.all])
      if (connection.replies.owesOnlyReads) connection.close('the server is shunned and does not answer');
  }
}
