/**
 * What a query rule, the account or a setting does with a statement besides choosing where it goes: time-out, delay,
 * multiplexing. Where none of them does anything it costs one look.
 */

import type { ClientError } from '../../common/errors.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { Plan } from '../router/plan.ts';
import { NO_RULES, type RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Session } from './session.ts';

/** Whether a copy of the statement may be wanted. */
export function mirrors({ mirrorHostgroup, mirrorFlagOut }: RuleVerdict): boolean {
  return mirrorHostgroup !== null || mirrorFlagOut !== null;
}

export class StatementActions {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #timer = new WheelTimer(() => this.#delayOver());
  /** What waits for the end of its delay. */
  #packet: Buffer | null = null;
  #plan: Plan | null = null;
  #wasDelayed = false;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  get hasAny(): boolean {
    const session = this.#session;
    return (
      session.routing.verdict !== NO_RULES ||
      this.#context.snapshot.settings.limits.queryTimeoutMs > 0 ||
      session.identity.fastForward ||
      session.routing.destination.keepsConnection
    );
  }

  commandCame(): void {
    this.#wasDelayed = false;
  }

  /** @returns true if `buffer[start, end)` waits: it is dispatched again, later. */
  take(buffer: Buffer, start: number, end: number, plan: Plan): boolean {
    const { verdict } = this.#session.routing;
    if (verdict.delayMs > 0 && !this.#wasDelayed) {
      this.#wasDelayed = true;
      this.#packet = Buffer.from(buffer.subarray(start, end));
      this.#plan = plan;
      this.#context.wheel.arm(this.#timer, verdict.delayMs);
      return true;
    }
    this.#multiplex(verdict);
    const { queryTimeoutMs } = this.#context.snapshot.settings.limits;
    const timeoutMs = verdict.timeoutMs ?? queryTimeoutMs;
    if (timeoutMs > 0)
      this.#session.run.timeout.begin(
        timeoutMs,
        verdict.timeoutMs === null ? 'limits.queryTimeoutMs' : ruleText(verdict),
      );
    return false;
  }

  /** Has another hostgroup run it as well, as the rules behind `mirrorFlagOut` say. */
  mirror(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const session = this.#session;
    const { mirrorHostgroup, mirrorFlagOut } = session.routing.verdict;
    const { rules, mirrors, plans } = this.#context;
    const { engine } = rules;
    const lexical = session.lexicalContext();
    if (session.run.statement !== null) return;
    if (mirrorFlagOut === null || engine === null || lexical === null) {
      if (mirrorHostgroup !== null) mirrors.take(session, mirrorHostgroup, buffer, start, end, plan);
      return;
    }
    const context = engine.contextOf(session.rules.facts, mirrorFlagOut);
    const verdict = engine.verdict(plan, context, buffer, start + 1, end);
    const hostgroup = verdict.destinationHostgroup ?? mirrorHostgroup;
    rules.count(verdict);
    if (hostgroup === null || verdict.errorMessage !== null || verdict.okMessage !== null) return;
    const { rewritten } = engine;
    if (rewritten === null) {
      mirrors.take(session, hostgroup, buffer, start, end, plan);
      return;
    }
    const packet = Buffer.concat([buffer.subarray(start, start + 1), rewritten]);
    const made = plans.planFor(packet, 1, packet.length, lexical);
    mirrors.take(session, hostgroup, packet, 0, packet.length, made);
  }

  /** KILL QUERY. @returns false if it is not here that the statement waits. */
  interrupt(error: ClientError): boolean {
    if (this.#packet === null) return false;
    this.cancel();
    this.#session.run.statement = null;
    this.#session.refuse(error);
    return true;
  }

  /** The client has gone. */
  cancel(): void {
    this.#context.wheel.cancel(this.#timer);
    this.#packet = null;
    this.#plan = null;
  }

  #delayOver(): void {
    const packet = this.#packet;
    const plan = this.#plan;
    this.#packet = null;
    this.#plan = null;
    if (packet !== null && plan !== null) this.#session.commands.dispatch(packet, 0, packet.length, plan);
  }

  #multiplex({ multiplex, stickyConn }: RuleVerdict): void {
    const { state, identity, routing } = this.#session;
    const { keepsConnection } = routing.destination;
    if (identity.fastForward) state.pin(PinReason.fastForward);
    if (multiplex === null && keepsConnection) state.pin(PinReason.multiplexingOff);
    if (multiplex === 0 || (multiplex === null && stickyConn === true)) state.pin(PinReason.multiplexingOff);
    else if (multiplex === 1 || stickyConn === false) state.unpin(PinReason.multiplexingOff);
  }
}

/** Of the rule that has set the time: the last one that names any. */
function ruleText({ rules }: RuleVerdict): string {
  const rule = rules.findLast(({ timeoutMs }) => timeoutMs !== null);
  return rule === undefined ? 'query rule' : `query rule ${rule.ruleId}`;
}
