/**
 * Statements that a rule has another hostgroup run as well. Nobody waits for the answer, and there are never more than
 * `routing.mirrorConcurrency` of them in a worker: what comes beyond that is not mirrored, and counted.
 *
 * Only proven reads outside of transactions are mirrored: anything else would be executed twice, or on a server that
 * replicates it.
 */

import { AnswerShape } from '../../../protocol/index.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import { WriteMarks } from '../cache/write-marks.ts';
import { SessionCausality } from '../causal/session-causality.ts';
import type { Destination } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import { NO_RULES } from '../router/rules/rule-verdict.ts';
import type { MirroredSession, Mirroring, WorkerContext } from '../worker-context.ts';
import { usesResidue } from './asked-connection.ts';
import type { CommandRouting } from './command-routing.ts';
import type { RunClient } from './run-client.ts';
import { SessionState } from './session-state.ts';
import { StatementRun } from './statement-run.ts';

const TO_READERS = routeOf(RouteTarget.replica, RouteReason.rule);
const TO_PRIMARY = routeOf(RouteTarget.primary, RouteReason.rule);

/** It goes where the rules say, and need not see anything. */
class MirrorRouting implements CommandRouting {
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

/** Stands in for the client of a mirrored statement: has its session's state, and hears nothing. */
class MirrorClient implements RunClient {
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
  readonly routing: MirrorRouting;
  connectionKey: ConnectionKey;
  readonly #ended: (client: MirrorClient) => void;
  #isRunning = false;

  constructor(
    session: MirroredSession,
    destination: Destination,
    context: WorkerContext,
    ended: (client: MirrorClient) => void,
  ) {
    this.routing = new MirrorRouting(destination);
    this.connectionKey = session.connectionKey;
    this.#ended = ended;
    this.causality = new SessionCausality(context.causality, () => context.tables);
    this.marks = new WriteMarks(context.marks, () => context.tables, this.state);
    this.run = new StatementRun(this, context);
  }

  /** @param defaultTimeoutMs 0 for none. */
  begin(
    session: MirroredSession,
    destination: Destination,
    packet: Buffer,
    plan: Plan,
    defaultTimeoutMs: number,
  ): void {
    const { state } = this;
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
    const timeoutMs = session.routing.verdict.timeoutMs ?? defaultTimeoutMs;
    if (timeoutMs > 0) this.run.timeout.begin(timeoutMs, 'mirror');
    this.run.start(packet, 0, packet.length, route, plan, AnswerShape.query, true);
  }

  runFinished(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
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

export class Mirrors implements Mirroring {
  readonly #contextOf: () => WorkerContext;
  readonly #idle: MirrorClient[] = [];
  #running = 0;

  /** @param context asked when the first one comes: it has this in it. */
  constructor(context: () => WorkerContext) {
    this.#contextOf = context;
  }

  /** The statement in `buffer[start, end)`, command byte included, which the session itself is about to run. */
  take(
    session: MirroredSession,
    hostgroup: number,
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
  ): void {
    if (!isMirrored(session, plan)) return;
    const { counters, router, snapshot, backends } = this.#contextOf();
    const destination = router.mirrorTo(hostgroup);
    const hasServer =
      destination !== null &&
      (destination.readers === null ? backends.primary !== null : backends.hasReaders(destination));
    if (destination === null || !hasServer || this.#running >= snapshot.settings.routing.mirrorConcurrency) {
      counters.add(WorkerCounter.mirrorsDropped);
      return;
    }
    counters.add(WorkerCounter.mirrored);
    this.#running++;
    const client = this.#idle.pop() ?? this.#make(session, destination);
    const packet = Buffer.from(buffer.subarray(start, end));
    client.begin(session, destination, packet, plan, snapshot.settings.limits.queryTimeoutMs);
  }

  #make(session: MirroredSession, destination: Destination): MirrorClient {
    return new MirrorClient(session, destination, this.#contextOf(), (client) => {
      this.#running--;
      this.#idle.push(client);
    });
  }
}

/** What the session is in the middle of cannot be made again elsewhere. */
function isMirrored(session: MirroredSession, { statement }: Plan): boolean {
  if (!statement.provenRead || statement.statementCount !== 1 || usesResidue(statement)) return false;
  const { routing } = session;
  return !(routing.holdsConnection || routing.pinned || routing.inTransaction) && routing.autocommit;
}
