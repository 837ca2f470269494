/** Which server a statement goes to: what its route allows, what it asks of a replica, and what has failed already. */

import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { HashKey } from '../../topology/balancing.ts';
import { StatementNeeds } from '../backend/balancing/read-needs.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import { lagLimitOf } from './lag-limit.ts';
import { affinityOf } from './read-affinity.ts';
import type { SearchClient } from './search-client.ts';

export class ServerChoice {
  readonly #client: SearchClient;
  readonly #context: WorkerContext;
  /** What the statement asks of a replica: filled after `begin`, before the first `choose`. */
  readonly needs = new StatementNeeds();
  /** That what was found serves the statement in. */
  hostgroup = 0;
  /** It goes to the primary only because of the replicas' lag. */
  isLagFallback = false;
  #route: Route | null = null;
  #onPrimary = false;
  /** The replica that is tried where the first one could not be reached. */
  #insteadOf: ServerPool | null = null;

  constructor(client: SearchClient, context: WorkerContext) {
    this.#client = client;
    this.#context = context;
  }

  begin(route: Route): void {
    this.#route = route;
    this.needs.clear();
    this.#onPrimary = false;
    this.#insteadOf = null;
  }

  /** It was to go to a replica. */
  get wasRead(): boolean {
    return this.#route?.target === RouteTarget.replica;
  }

  /** It still is. */
  get isRead(): boolean {
    return this.wasRead && !this.#onPrimary;
  }

  /** No replica will do: from now on only the primary. */
  primaryOnly(): void {
    this.#onPrimary = true;
  }

  get isPrimaryOnly(): boolean {
    return this.#onPrimary;
  }

  /** What the command in `buffer[start, end)` asks of a replica, and what it is kept together with. */
  readKey(
    buffer: Buffer | null,
    start: number,
    end: number,
    plan: Plan | null,
    statement: ClientStatement | null,
  ): void {
    if (!this.isRead) return;
    const { backends } = this.#context;
    const hint = plan?.statement.hint;
    if (hint !== undefined && (hint.maxLagMs !== null || hint.minEpochMs)) {
      const { state } = this.#client;
      this.needs.maxLagMs = lagLimitOf(hint, state, backends.dialect, statement, buffer, start, end);
    }
    const key = backends.hashKeyOf(this.#client.routing.destination);
    if (key === null) return;
    // A transaction is not what its first statement is.
    if (key === HashKey.statement && plan?.statement.provenRead !== true) return;
    this.needs.affinity = affinityOf(key, this.#client, backends.dialect, statement, buffer, start, end);
  }

  /** @returns null where there is no server that may have it. */
  choose(): ServerPool | null {
    const { backends } = this.#context;
    const { destination } = this.#client.routing;
    const { readers, writer } = destination;
    const isRead = this.isRead && readers !== null;
    const reader = isRead ? (this.#insteadOf ?? backends.reader(destination, this.needs)) : null;
    this.hostgroup = isRead && reader !== null ? readers : writer;
    this.isLagFallback =
      this.#route?.reason === RouteReason.replicasLag
        ? reader === null
        : isRead && reader === null && this.needs.maxLagMs >= 0;
    return reader ?? backends.primary;
  }

  /** The one that may have what the read must see before the others. */
  nearest(): ServerPool | null {
    return this.#context.backends.nearestReader(this.#client.routing.destination, this.needs);
  }

  /**
   * A read is repeated, since its connection was lost: others to the same server are likely to be dead as well, and
   * the last try is the primary's, if there is one.
   */
  lostOn(address: string, isLastTry: boolean): void {
    if (!this.isRead) return;
    const { backends } = this.#context;
    const other = isLastTry ? null : this.#otherThan(backends.poolOf(address));
    this.#insteadOf = other;
    this.#onPrimary = other === null && backends.primary !== null;
  }

  /** This one cannot be reached: another one once, then the primary. */
  unreachable(pool: ServerPool | null): void {
    const other = this.#otherThan(pool);
    this.#onPrimary = this.#insteadOf !== null || other === null;
    this.#insteadOf = other;
  }

  #otherThan(pool: ServerPool | null): ServerPool | null {
    const { destination } = this.#client.routing;
    return pool === null ? null : this.#context.backends.otherReader(destination, pool, this.needs);
  }

  /** The servers have changed their roles: all may be tried. */
  rolesChanged(): void {
    this.#insteadOf = null;
  }

  /** The connection was not looked for: it is there already. */
  found(role: string, hostgroup: number): void {
    const { readers, writer } = this.#client.routing.destination;
    this.hostgroup = role === 'primary' ? writer : (readers ?? hostgroup);
  }
}
