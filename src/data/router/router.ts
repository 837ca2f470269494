/**
 * Primary or replica? Decided from what the statement is (its plan) and what the session is in the middle of.
 * What is not proven goes to the primary.
 */

import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import { ClassReason } from '../../sql/statement-class.ts';
import type { RuledHostgroup } from '../../topology/hostgroup-membership.ts';
import { type Destination, DestinationSource, Destinations } from './destination.ts';
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
  /** Nobody knows who has what the read must see. */
  readonly needsPrimary: boolean;
  /** Read-only transactions stay on the primary: they have needed it before, or cannot be begun again. */
  readonly avoidsReplicaTransactions: boolean;
  /** Of the statement that is to be routed. */
  readonly verdict: RuleVerdict;
  /** Of the account; null where it names none. */
  readonly defaultHostgroup: number | null;
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
const RULE_PRIMARY = routeOf(RouteTarget.primary, RouteReason.rule);
const RULE_REPLICA = routeOf(RouteTarget.replica, RouteReason.rule);
const AUTOCOMMIT_OFF = routeOf(RouteTarget.primary, RouteReason.autocommitOff);
const GTID_UNKNOWN = routeOf(RouteTarget.primary, RouteReason.gtidUnknown);
const NO_REPLICA = routeOf(RouteTarget.primary, RouteReason.noReplica);
const REPLICAS_LAG = routeOf(RouteTarget.primary, RouteReason.replicasLag);
const LEAST_LAGGED = routeOf(RouteTarget.replica, RouteReason.replicasLag);
const UNSAFE_VIEW = routeOf(RouteTarget.primary, RouteReason.unsafeView);
const VIEWS_UNKNOWN = routeOf(RouteTarget.primary, RouteReason.viewsUnknown);
const RESIDUE = routeOf(RouteTarget.primary, RouteReason.residue);
const PROVEN_READ = routeOf(RouteTarget.replica, ClassReason.provenRead);
const READ_ONLY_TRANSACTION = routeOf(RouteTarget.replica, RouteReason.readOnlyTransaction);

export class Router {
  #catalog: CatalogView = { complete: false, trusted: false, unsafeViews: new Set(), isCurrent: () => true };
  /** Of a read whose servers all lag. */
  #withoutReaders: Route = REPLICAS_LAG;
  readonly #destinations = new Destinations();

  /**
   * @param pair the first one: where statements go of which nobody says anything.
   * @param readsLagging when all replicas lag, the one that is the least behind answers
   */
  update(
    catalog: CatalogView,
    hostgroups: readonly RuledHostgroup[],
    pair: { readonly writer: number; readonly reader: number },
    readsLagging = false,
  ): void {
    this.#catalog = catalog;
    this.#withoutReaders = readsLagging ? LEAST_LAGGED : REPLICAS_LAG;
    this.#destinations.update(hostgroups, pair);
  }

  /** Which hostgroup it is for: a hint says so, else a rule, else its user. */
  destinationOf(plan: StatementClass, facts: RoutingFacts): Destination {
    const destinations = this.#destinations;
    if (plan.hint.hostgroup !== null) {
      const hinted = destinations.of(plan.hint.hostgroup, DestinationSource.hint);
      if (hinted !== null) return hinted;
    }
    const { destinationHostgroup } = facts.verdict;
    // A hint for a replica is a hint against a rule that says the primary.
    if (destinationHostgroup !== null && plan.hint.target === null) {
      const ruled = destinations.of(destinationHostgroup, DestinationSource.rule);
      if (ruled !== null) return ruled;
    }
    return destinations.forUser(facts.defaultHostgroup);
  }

  /** For a copy whose answer nobody gets. Null for a hostgroup that there is not. */
  mirrorTo(hostgroup: number): Destination | null {
    return this.#destinations.of(hostgroup, DestinationSource.mirror);
  }

  /** Of what is no statement. */
  destinationOfUser(hostgroup: number | null): Destination {
    return this.#destinations.forUser(hostgroup);
  }

  /** @param destination from `destinationOf`. */
  route(plan: StatementClass, facts: RoutingFacts, destination: Destination): Route {
    if (facts.holdsConnection) return facts.inTransaction ? HELD_TRANSACTION : HELD_PIN;
    if (facts.pinned) return PINNED;
    const { source, readers } = destination;
    const isHinted = plan.hint.target === 'replica' || source === DestinationSource.hint;
    if (plan.hint.target === 'primary' || (readers === null && source === DestinationSource.hint))
      return HINT_PRIMARY;
    if (plan.beginReadOnly) return this.#routeReadOnlyTransaction(plan, facts, destination);
    if (!plan.provenRead) return routeOf(RouteTarget.primary, plan.reason);
    if (!facts.autocommit) return AUTOCOMMIT_OFF;
    const { residue } = plan;
    if (residue.lastInsertId || residue.diagnostics || residue.foundRows || residue.rowCount) return RESIDUE;
    const view = this.#viewVerdict(plan, facts.schema);
    if (view !== null) return view;
    if (readers === null) return RULE_PRIMARY;
    if (!destination.hasReaders) {
      if (!destination.isLagging) return NO_REPLICA;
      return facts.needsPrimary && !isHinted ? GTID_UNKNOWN : this.#withoutReaders;
    }
    // A hint overrides what the read would have to see, never the proof; a rule neither.
    if (isHinted) return HINT_REPLICA;
    if (facts.needsPrimary) return GTID_UNKNOWN;
    return source === DestinationSource.rule ? RULE_REPLICA : PROVEN_READ;
  }

  #routeReadOnlyTransaction(
    plan: StatementClass,
    facts: RoutingFacts,
    { readers, hasReaders, isLagging }: Destination,
  ): Route {
    if (plan.statementCount > 1) return routeOf(RouteTarget.primary, ClassReason.multiStatement);
    if (!facts.autocommit) return AUTOCOMMIT_OFF;
    if (facts.avoidsReplicaTransactions) return routeOf(RouteTarget.primary, RouteReason.pinned);
    if (readers === null) return RULE_PRIMARY;
    if (!hasReaders && !isLagging) return NO_REPLICA;
    if (facts.needsPrimary) return GTID_UNKNOWN;
    return hasReaders ? READ_ONLY_TRANSACTION : this.#withoutReaders;
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
