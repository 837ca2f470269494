/** Where the statements of a session may go, and what they must see there: what the router is told of the session. */

import type { CausalLevel } from '../../common/causal-level.ts';
import { clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { hintValuesOf } from '../../sql/hint-values.ts';
import { RouteTarget } from '../../sql/route-reason.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { UNKNOWN_NEED } from '../causal/worker-causality.ts';
import type { Destination } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import type { RoutingFacts } from '../router/router.ts';
import { NO_RULES, type RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { CommandRouting } from './command-routing.ts';
import type { Session } from './session.ts';

const MAX_SHOWN_GTID = 64;

export class SessionRouting implements RoutingFacts, CommandRouting {
  readonly #session: Session;
  readonly #context: WorkerContext;
  /** Of the command that runs. */
  destination: Destination;
  /** What the query rules say of the command; `NO_RULES` until they have been asked. */
  verdict: RuleVerdict = NO_RULES;
  /** What the command that runs must see; below 0: nobody knows who has it. */
  #need = 0;
  /** A read is on its way to a replica. */
  isPlacing = false;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
    this.destination = this.#ofUser();
  }

  /** The session belongs to another user. */
  changeUser(): void {
    this.destination = this.#ofUser();
  }

  #ofUser(): Destination {
    return this.#context.router.destinationOfUser(this.defaultHostgroup);
  }

  // ---- RoutingFacts

  get holdsConnection(): boolean {
    return this.#session.run.held !== null;
  }

  get inTransaction(): boolean {
    return this.#session.state.inTransaction;
  }

  get pinned(): boolean {
    return this.#session.state.pinned || this.#session.run.statement?.wantsOwn === true;
  }

  get autocommit(): boolean {
    return this.#session.state.variables?.autocommit ?? true;
  }

  /** A prepared statement means the tables of the schema that it was prepared in. */
  get schema(): string | null {
    const { statement } = this.#session.run;
    return statement === null ? this.#session.state.schema : statement.prepared.schema;
  }

  get needsPrimary(): boolean {
    return this.#need === UNKNOWN_NEED;
  }

  get neededGtid(): number {
    return Math.max(0, this.#need);
  }

  get causalWaitMs(): number {
    return this.#session.causality.waitMs ?? this.#context.snapshot.settings.causalReads.waitMs;
  }

  get defaultHostgroup(): number | null {
    return this.#session.identity.defaultHostgroup;
  }

  get avoidsReplicaTransactions(): boolean {
    return this.#session.readOnly.avoided || this.#session.run.statement !== null;
  }

  // ---- decisions

  /** Where the statement goes; what it must see there is known from now on. */
  routeOf(plan: Plan): Route {
    const { statement } = plan;
    const { router } = this.#context;
    this.destination = router.destinationOf(statement, this);
    const { causality, cached } = this.#session;
    const need = causality.needOf(plan, this.schema, this.#level, this.destination, statement.beginReadOnly);
    this.#need = cached.fillsStrong ? causality.needForAll(need, plan, this.schema) : need;
    return router.route(statement, this, this.destination);
  }

  /** The level of causal reads, where no hint says another one. */
  get #level(): CausalLevel {
    return this.verdict.causalReads ?? this.#session.causality.level ?? this.levelOtherwise;
  }

  /** Where neither a rule nor the session itself says one. */
  get levelOtherwise(): CausalLevel {
    return this.#session.identity.causalReads ?? this.#context.snapshot.settings.causalReads.level;
  }

  /** What a read of a transaction on a replica must see. @param ofAny the snapshot is of all tables. */
  needInTransaction(plan: Plan, ofAny: boolean): number {
    return this.#session.causality.needOf(plan, this.schema, this.#level, this.destination, ofAny);
  }

  /** Where a statement would go by another verdict, for people. */
  placeBy(verdict: RuleVerdict, { statement }: Plan): string {
    const before = this.verdict;
    this.verdict = verdict;
    const { router } = this.#context;
    const destination = router.destinationOf(statement, this);
    const { target } = router.route(statement, this, destination);
    this.verdict = before;
    const hostgroup = target === RouteTarget.replica ? destination.readers : destination.writer;
    return target === RouteTarget.held ? target : `${target} (hostgroup ${hostgroup})`;
  }

  /** A GTID that a hint names in the text behind `start`. @returns false if it is none, and the client has been told so. */
  takesHint({ hint }: StatementClass, buffer: Buffer, start: number, end: number): boolean {
    this.#session.causality.hintedGtid = 0;
    const context = hint.minGtid ? this.#session.lexicalContext() : null;
    if (context === null) return true;
    const named = hintValuesOf(buffer, start + 1, end, context).minGtid ?? '';
    const position = this.#context.causality.sources.positionNamed(named);
    this.#session.causality.hintedGtid = position ?? 0;
    if (position !== null) return true;
    this.#session.refuse(clientError('PROXY_NO_GTID', { value: named.slice(0, MAX_SHOWN_GTID) }));
    return false;
  }

  placed(isOnPrimary: boolean): void {
    if (!this.isPlacing) return;
    this.isPlacing = false;
    this.#context.counters.add(isOnPrimary ? WorkerCounter.readsOnPrimary : WorkerCounter.readsOnReplica);
  }

  seesEnoughOn({ server }: BackendConnection, { tables }: StatementClass): boolean {
    if (tables.length === 0) return true;
    const need = this.#session.causality.needOfAny(this.#level);
    return need !== UNKNOWN_NEED && this.#context.causality.gtids.applied(server.slot) >= need;
  }
}
