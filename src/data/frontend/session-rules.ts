/**
 * A session before the query rules: asks them once for each command that is a statement, and answers where they say so.
 * What they leave of it (a destination, a time-out and so on) stays with the session as its verdict.
 */

import { Command, frameOk } from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { RuleContext } from '../router/rules/rule-context.ts';
import { RewriteTooLongError, type RuleEngine } from '../router/rules/rule-engine.ts';
import type { RuleSession } from '../router/rules/rule-session.ts';
import { NO_RULES, type RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import type { Session } from './session.ts';

const BY_RULE = routeOf(RouteTarget.sluice, RouteReason.queryRule);
const BY_FIREWALL = routeOf(RouteTarget.sluice, RouteReason.firewall);
const BY_RATE_LIMIT = routeOf(RouteTarget.sluice, RouteReason.rateLimit);

/** A statement as its client wrote it, where rules have changed it: at each execution they are asked about this. */
export interface WrittenStatement {
  readonly plan: Plan;
  readonly text: Buffer;
}

/** For a statement that is prepared: what to prepare, and what the client has written. */
export interface JudgedPreparation {
  readonly packet: Buffer;
  /** null: rules have changed nothing. */
  readonly written: WrittenStatement | null;
}

export class SessionRules {
  readonly #session: Session;
  readonly #context: WorkerContext;
  /** That the next statement begins with. */
  #flagIn = 0;
  /** What the session is to rules, and what that was made of. */
  #ruleContext: RuleContext | null = null;
  #engine: RuleEngine | null = null;
  #username = '';
  #schema: string | null = null;
  #flagOfContext = 0;
  #shadowFlagIn = 0;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /** The session belongs to another user, or begins anew. */
  restart(): void {
    this.#flagIn = 0;
    this.#shadowFlagIn = 0;
  }

  /** COM_QUERY. @returns what is to run: `buffer` itself or another payload; null if the client has its answer. */
  query(engine: RuleEngine, buffer: Buffer, start: number, end: number, plan: Plan): Buffer | null {
    const verdict = this.#judge(engine, plan, buffer, start + 1, end);
    if (verdict === null) return null;
    const { rewritten } = engine;
    this.#compareShadow(verdict, rewritten, plan, buffer, start + 1, end);
    if (this.#refuses(verdict, plan, false)) return null;
    if (verdict.okMessage !== null) {
      this.#sendOk(verdict.okMessage, plan);
      return null;
    }
    return rewritten === null ? buffer : this.#rewritten(rewritten, Command.COM_QUERY);
  }

  /** COM_STMT_PREPARE: what the rules forbid is told now; their OK comes with the execution. */
  prepare(buffer: Buffer, start: number, end: number, plan: Plan): JudgedPreparation | null {
    const { engine } = this.#context.rules;
    if (engine === null) return { packet: buffer, written: null };
    const verdict = this.#judge(engine, plan, buffer, start + 1, end);
    if (verdict === null || this.#refuses(verdict, plan, true)) return null;
    const { rewritten } = engine;
    if (rewritten === null) return { packet: buffer, written: null };
    // Rules look at no more of it.
    const most = Math.min(end, start + 1 + engine.options.maxTextBytes);
    const written = { plan, text: Buffer.from(buffer.subarray(start + 1, most)) };
    return { packet: this.#rewritten(rewritten, Command.COM_STMT_PREPARE), written };
  }

  /** COM_STMT_EXECUTE. @returns false if the client has its answer. */
  admits(statement: ClientStatement): boolean {
    const { engine } = this.#context.rules;
    if (engine === null || this.#session.routing.verdict !== NO_RULES) return true;
    const { plan, text } = statement.written ?? { plan: statement.plan, text: statement.prepared.text };
    const verdict = this.#judge(engine, plan, text, 0, text.length);
    if (verdict === null) return false;
    this.#compareShadow(verdict, engine.rewritten, plan, text, 0, text.length);
    if (this.#refuses(verdict, plan, false)) return false;
    if (verdict.okMessage === null) return true;
    this.#sendOk(verdict.okMessage, plan);
    return false;
  }

  /** null: the client has been told why not. */
  #judge(engine: RuleEngine, plan: Plan, buffer: Buffer, start: number, end: number): RuleVerdict | null {
    const session = this.#session;
    const { rules } = this.#context;
    try {
      const context = this.#contextFor(engine);
      const verdict = engine.verdict(plan, context, buffer, start, end);
      session.routing.verdict = verdict;
      rules.count(verdict);
      if (verdict.nextFlagIn !== null) this.#flagIn = verdict.nextFlagIn;
      return verdict;
    } catch (error) {
      this.#refuse(this.#errorOf(error), BY_RULE, plan);
      return null;
    }
  }

  /** A fault of the engine for expressions, or of Sluice, costs the statement and not the worker: what is not judged does not run. */
  #errorOf(error: unknown): ClientError {
    if (error instanceof RewriteTooLongError)
      return clientError('PROXY_REWRITE_TOO_LONG', { reason: error.message });
    const { message } = error as Error;
    this.#context.log('error', 'a statement could not be judged by the query rules', { reason: message });
    return clientError('PROXY_INTERNAL', { reason: 'the query rules could not judge the statement' });
  }

  #contextFor(engine: RuleEngine): RuleContext {
    const { username, state } = this.#session;
    const { schema } = state;
    const known = this.#ruleContext;
    if (
      known !== null &&
      this.#engine === engine &&
      this.#schema === schema &&
      this.#flagOfContext === this.#flagIn &&
      this.#username === username
    )
      return known;
    this.#engine = engine;
    this.#username = username;
    this.#schema = schema;
    this.#flagOfContext = this.#flagIn;
    this.#ruleContext = engine.contextOf(this.facts, this.#flagIn);
    return this.#ruleContext;
  }

  /** What shadow rules would make of it is counted; they decide nothing, not even by a fault of theirs. */
  #compareShadow(
    verdict: RuleVerdict,
    rewritten: Buffer | null,
    plan: Plan,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const { shadow } = this.#context.rules;
    if (shadow === null) return;
    const session = this.facts;
    const { engine } = shadow;
    try {
      const context = engine.contextOf(session, this.#shadowFlagIn);
      const other = engine.verdict(plan, context, buffer, start, end);
      if (other.nextFlagIn !== null) this.#shadowFlagIn = other.nextFlagIn;
      const judged = { plan, verdict, rewritten, session };
      shadow.compare(judged, other, engine.rewritten, (asked) => this.#session.routing.placeBy(asked, plan));
    } catch (error) {
      const { message } = error as Error;
      this.#context.log('debug', 'a statement could not be judged by the shadow rules', { reason: message });
    }
  }

  /** What rules may ask about the session as it is now. */
  get facts(): RuleSession {
    const { username, state, clientAddress, transport } = this.#session;
    const { localAddress, localPort } = transport;
    const colon = clientAddress.lastIndexOf(':');
    return {
      username,
      schema: state.schema,
      clientAddress: colon < 0 ? clientAddress : clientAddress.slice(0, colon),
      proxyAddress: localAddress,
      proxyPort: localPort,
    };
  }

  /** @param isPreparation it does not run yet, and counts for no rate limit. */
  #refuses(verdict: RuleVerdict, plan: Plan, isPreparation: boolean): boolean {
    const { counters, rules } = this.#context;
    if (verdict.firewall !== 'off' && verdict.firewall !== 'allowed') this.#tellFirewall(verdict, plan);
    const { errorMessage: message } = verdict;
    if (message !== null) {
      const isRule = verdict.rules.some(({ errorMsg }) => errorMsg !== null);
      if (isRule) counters.add(WorkerCounter.ruleErrors);
      const error = clientError(isRule ? 'PROXY_QUERY_RULE' : 'PROXY_FIREWALL', { message });
      this.#refuse(error, isRule ? BY_RULE : BY_FIREWALL, plan);
      return true;
    }
    const limit = isPreparation ? null : rules.takeTokens(verdict);
    if (limit === null) return false;
    counters.add(WorkerCounter.rateLimited);
    const { name, perSecond, burst } = limit;
    this.#refuse(clientError('PROXY_RATE_LIMITED', { name, perSecond, burst }), BY_RATE_LIMIT, plan);
    return true;
  }

  #tellFirewall({ firewall }: RuleVerdict, plan: Plan): void {
    const { counters, firewallLog } = this.#context;
    const isBlocked = firewall === 'blocked';
    counters.add(isBlocked ? WorkerCounter.firewallBlocked : WorkerCounter.firewallDetected);
    const { username, clientAddress } = this.facts;
    firewallLog.tell(isBlocked ? 'blocked' : 'detected', plan.normalized, username, clientAddress);
  }

  #refuse(error: ClientError, route: Route, plan: Plan): void {
    const session = this.#session;
    session.record.answersBy(route, plan);
    session.run.residue.ownError(error, this.#context.backends.dialect.flavor === 'mariadb');
    session.refuse(error);
  }

  #sendOk(message: string, plan: Plan): void {
    const session = this.#session;
    const { statusFlags } = session.state;
    this.#context.counters.add(WorkerCounter.ruleOks);
    session.record.answersBy(BY_RULE, plan);
    session.run.residue.ownOk();
    session.run.lastErrno = 0;
    session.run.lastWarnings = 0;
    session.write(frameOk({ statusFlags, info: message }, session.clientCapabilities, session.errorSequence));
    session.commandDone();
  }

  #rewritten(text: Buffer, command: number): Buffer {
    this.#context.counters.add(WorkerCounter.ruleRewrites);
    const packet = Buffer.allocUnsafe(text.length + 1);
    packet[0] = command;
    text.copy(packet, 1);
    return packet;
  }
}
