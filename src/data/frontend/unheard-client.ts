/** Stands in for the client of a statement that nobody waits for: has a session's state, and hears nothing. */

import { AnswerShape } from '../../../protocol/index.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import { WriteMarks } from '../cache/write-marks.ts';
import { SessionCausality } from '../causal/session-causality.ts';
import type { Destination } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import { NO_RULES } from '../router/rules/rule-verdict.ts';
import type { MirroredSession, WorkerContext } from '../worker-context.ts';
import type { AnswerCapture } from './answer-passage.ts';
import type { ClientStatement } from './client-statement.ts';
import type { CommandRouting } from './command-routing.ts';
import type { RunClient } from './run-client.ts';
import { SessionState } from './session-state.ts';
import { StatementRun } from './statement-run.ts';

const TO_READERS = routeOf(RouteTarget.replica, RouteReason.rule);
const TO_PRIMARY = routeOf(RouteTarget.primary, RouteReason.rule);

/** What is to run, command byte included: a text, or the execution of a prepared statement with its types. */
export interface UnheardStatement {
  readonly packet: Buffer;
  readonly plan: Plan;
  /** null for a text. */
  readonly prepared: ClientStatement | null;
  /** 0 for none. */
  readonly timeoutMs: number;
  /** What sets that time. */
  readonly source: string;
  /** Who gets the answer, if anybody. */
  readonly capture: AnswerCapture | null;
}

/** It goes where it is told to, and need not see anything. */
class UnheardRouting implements CommandRouting {
  readonly verdict = NO_RULES;
  readonly neededGtid = 0;
  readonly causalWaitMs = 0;
  destination: Destination;

  constructor(destination: Destination) {
    this.destination = destination;
  }

  seesEnoughOn(): boolean {
    return true;
  }

  placed(): void {}
}

export class UnheardClient implements RunClient {
  readonly state = new SessionState();
  readonly run: StatementRun;
  readonly connectionId = 0;
  readonly clientAddress = '';
  readonly unsentBytes = 0;
  readonly causality: SessionCausality;
  readonly marks: WriteMarks;
  errorSequence = 1;
  username = '';
  clientCapabilities = 0;
  collationId = 0;
  readonly routing: UnheardRouting;
  connectionKey: ConnectionKey;
  readonly #ended: (client: UnheardClient) => void;
  #isRunning = false;

  constructor(
    session: MirroredSession,
    destination: Destination,
    context: WorkerContext,
    ended: (client: UnheardClient) => void,
  ) {
    this.routing = new UnheardRouting(destination);
    this.connectionKey = session.connectionKey;
    this.#ended = ended;
    this.causality = new SessionCausality(context.causality, () => context.tables);
    this.marks = new WriteMarks(context.marks, () => context.tables, this.state);
    this.run = new StatementRun(this, context);
  }

  begin(session: MirroredSession, destination: Destination, what: UnheardStatement): void {
    const { state } = this;
    const { packet, plan, prepared, timeoutMs, source, capture } = what;
    this.routing.destination = destination;
    this.connectionKey = session.connectionKey;
    this.username = session.username;
    this.clientCapabilities = session.clientCapabilities;
    this.collationId = session.collationId;
    state.restart(session.state.variables);
    state.schema = session.state.schema;
    state.userVariables = session.state.userVariables;
    this.#isRunning = true;
    const route = destination.readers === null ? TO_PRIMARY : TO_READERS;
    if (timeoutMs > 0) this.run.timeout.begin(timeoutMs, source);
    this.run.statement = prepared;
    this.run.passage.capture = capture;
    this.run.start(packet, 0, packet.length, route, plan, AnswerShape.query, true);
  }

  runFinished(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.run.passage.capture = null;
    // A server that reports what nobody has explained pins; there is no next statement to keep it for.
    this.run.connections.releaseHeld(this.state.leftBehind());
    this.run.residue.reset();
    this.#ended(this);
  }

  heldConnectionLost(): void {
    this.runFinished();
  }

  write(): boolean {
    return false;
  }

  takeNewerCredentials(): boolean {
    return false;
  }

  confine(): boolean {
    return false;
  }

  interruptsWait(): boolean {
    return false;
  }

  restores(): boolean {
    return false;
  }

  restored(): void {}
  confinementEnded(): void {}
  localInfile(): void {}
  sendError(): void {}
  sendOk(): void {}
  statementAnswered(): void {}
  passwordChanged(): void {}
}
