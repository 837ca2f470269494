/**
 * Primary or replica? Decided from what the statement is (its plan) and what the session is in the middle of.
 * What is not proven goes to the primary.
 */

import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import { ClassReason } from '../../sql/statement-class.ts';
import { type Route, routeOf } from './route.ts';
import type { RuleVerdict } from './rules/rule-verdict.ts';

/** What the router needs to know of a session. */
export interface RoutingFacts {
  /** A connection is held for a transaction or a pin: everything goes there. */
  readonly holdsConnection: boolean;
  readonly inTransaction: boolean;
  /** It will hold the connection that this statement gets. */
  readonly pinned: boolean;
  readonly autocommit: boolean;
  readonly schema: string | null;
  /** Milliseconds of the monotonic clock up to which reads stay on the primary; 0 when there was no write. */
  readonly stickyUntil: number;
  /** Read-only transactions stay on the primary: they have needed it before, or cannot be begun again. */
  readonly avoidsReplicaTransactions: boolean;
  /** Of the statement that is to be routed. */
  readonly verdict: RuleVerdict;
}

export interface CatalogView {
  readonly complete: boolean;
  readonly trusted: boolean;
  readonly unsafeViews: ReadonlySet<string>;
  /** Whether it is still what the servers have, as far as statements through this Sluice go. */
  isCurrent(): boolean;
}

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set([
  'mysql',
  'information_schema',
  'performance_schema',
  'sys',
]);

const HELD_TRANSACTION = routeOf(RouteTarget.held, RouteReason.inTransaction);
const HELD_PIN = routeOf(RouteTarget.held, RouteReason.pinned);
/** What a session that holds a connection sends there may be a write. */
const PINNED = routeOf(RouteTarget.primary, RouteReason.pinned);
const HINT_PRIMARY = routeOf(RouteTarget.primary, RouteReason.hint);
const HINT_REPLICA = routeOf(RouteTarget.replica, RouteReason.hint);
const AUTOCOMMIT_OFF = routeOf(RouteTarget.primary, RouteReason.autocommitOff);
const STICKY = routeOf(RouteTarget.primary, RouteReason.stickyAfterWrite);
const NO_REPLICA = routeOf(RouteTarget.primary, RouteReason.noReplica);
const UNSAFE_VIEW = routeOf(RouteTarget.primary, RouteReason.unsafeView);
const VIEWS_UNKNOWN = routeOf(RouteTarget.primary, RouteReason.viewsUnknown);
const RESIDUE = routeOf(RouteTarget.primary, RouteReason.residue);
const PROVEN_READ = routeOf(RouteTarget.replica, ClassReason.provenRead);
const READ_ONLY_TRANSACTION = routeOf(RouteTarget.replica, RouteReason.readOnlyTransaction);

export class Router {
  #catalog: CatalogView = { complete: false, trusted: false, unsafeViews: new Set(), isCurrent: () => true };
  #hostgroups = { writer: 0, reader: 1 };

  update(catalog: CatalogView, hostgroups: { readonly writer: number; readonly reader: number }): void {
    this.#catalog = catalog;
    this.#hostgroups = { ...hostgroups };
  }

  /** @param now milliseconds of the monotonic clock. @param hasReplica whether any replica is fit for reads. */
  route(plan: StatementClass, facts: RoutingFacts, now: number, hasReplica: boolean): Route {
    if (facts.holdsConnection) return facts.inTransaction ? HELD_TRANSACTION : HELD_PIN;
    if (facts.pinned) return PINNED;
    const hinted = this.#hintedTarget(plan);
    if (hinted === RouteTarget.primary) return HINT_PRIMARY;
    if (plan.beginReadOnly) return this.#routeReadOnlyTransaction(plan, facts, now, hasReplica);
    if (!plan.provenRead) return routeOf(RouteTarget.primary, plan.reason);
    if (!facts.autocommit) return AUTOCOMMIT_OFF;
    const { residue } = plan;
    if (residue.lastInsertId || residue.diagnostics || residue.foundRows || residue.rowCount) return RESIDUE;
    const view = this.#viewVerdict(plan, facts.schema);
    if (view !== null) return view;
    if (!hasReplica) return NO_REPLICA;
    // A hint overrides the wait after a write, never the proof.
    if (hinted === RouteTarget.replica) return HINT_REPLICA;
    return now < facts.stickyUntil ? STICKY : PROVEN_READ;
  }

  #routeReadOnlyTransaction(
    plan: StatementClass,
    facts: RoutingFacts,
    now: number,
    hasReplica: boolean,
  ): Route {
    if (plan.statementCount > 1) return routeOf(RouteTarget.primary, ClassReason.multiStatement);
    if (!facts.autocommit) return AUTOCOMMIT_OFF;
    if (facts.avoidsReplicaTransactions) return routeOf(RouteTarget.primary, RouteReason.pinned);
    if (!hasReplica) return NO_REPLICA;
    return now < facts.stickyUntil ? STICKY : READ_ONLY_TRANSACTION;
  }

  #hintedTarget(plan: StatementClass): RouteTarget | null {
    const { target, hostgroup } = plan.hint;
    if (target === 'primary') return RouteTarget.primary;
    if (target === 'replica') return RouteTarget.replica;
    if (hostgroup === this.#hostgroups.writer) return RouteTarget.primary;
    return hostgroup === this.#hostgroups.reader ? RouteTarget.replica : null;
  }

  /** null: nothing speaks against a replica. */
  /** Whether a view among its tables may call a stored function, in whatever schema the statement runs. */
  mayCallThroughView({ tables }: StatementClass): boolean {
    const { complete, trusted, unsafeViews } = this.#catalog;
    if (tables.length === 0) return false;
    if (trusted || !complete || !this.#catalog.isCurrent()) return true;
    for (const { schema, table } of tables) {
      const ending = `${schema ?? ''}.${table}`.toLowerCase();
      for (const view of unsafeViews)
        if (schema === null ? view.endsWith(ending) : view === ending) return true;
    }
    return false;
  }

  #viewVerdict(plan: StatementClass, schema: string | null): Route | null {
    if (plan.tables.length === 0) return null;
    const catalog = this.#catalog;
    let unqualified = false;
    for (const table of plan.tables) if (table.schema === null) unqualified = true;
    if (unqualified && schema !== null && SYSTEM_SCHEMAS.has(schema.toLowerCase()))
      return routeOf(RouteTarget.primary, ClassReason.systemSchema);
    if (catalog.trusted) return null;
    if (!catalog.complete || !catalog.isCurrent()) return VIEWS_UNKNOWN;
    if (catalog.unsafeViews.size === 0) return null;
    for (const table of plan.tables) {
      const name = `${table.schema ?? schema ?? ''}.${table.table}`.toLowerCase();
      if (catalog.unsafeViews.has(name)) return UNSAFE_VIEW;
    }
    return null;
  }
}
