/** What the command that runs is, for its trace where Sluice answers it itself. */

import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { StatementTrace } from './statement-trace.ts';

const ANSWERED_HERE = routeOf(RouteTarget.sluice, RouteReason.answeredHere);

export class CommandRecord {
  #command = 0;
  /** How many statements had been sent when it came. */
  #statementsBefore = 0;
  /** Why Sluice answers, where it does. */
  #answeredBy: Route = ANSWERED_HERE;
  /** null as long as it is not known to be a statement. */
  plan: Plan | null = null;
  /** The error of Sluice's own that answers it. */
  errno = 0;

  begins(command: number, { statements }: StatementTrace): void {
    this.#command = command;
    this.#statementsBefore = statements;
    this.#answeredBy = ANSWERED_HERE;
    this.plan = null;
    this.errno = 0;
  }

  /** The statement of this command is answered without a server, for the reason of `route`. */
  answersBy(route: Route, plan: Plan): void {
    this.plan = plan;
    this.#answeredBy = route;
  }

  /** @param receivedAt by `performance.now()`. */
  ends(trace: StatementTrace, receivedAt: number): void {
    if (this.plan === null || trace.statements !== this.#statementsBefore) return;
    trace.answeredHere(this.#command, this.plan, receivedAt, this.errno, this.#answeredBy);
  }
}
