/** How a session's run logs what happens in its transactions, and does one of them again; see transaction-replay.ts. */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason } from '../../sql/statement-class.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';
import { routeOf } from '../router/route.ts';
import { isReadOnlyRefusal } from './read-only-primary.ts';
import { moveRun, RunPhase } from './run-phase.ts';
import type { RunParts, RunSteps } from './run-state.ts';
import { ApproachStep } from './statement-approach.ts';
import { type ReplayedRun, type SessionCommand, TransactionReplay } from './transaction-replay.ts';

const REPLAY_HELD = routeOf(RouteTarget.held, RouteReason.inTransaction);
const REPLAY_BEGINS = routeOf(RouteTarget.primary, RouteReason.replay);

export class RunReplay implements ReplayedRun {
  readonly #run: RunParts;
  readonly #steps: RunSteps;

  constructor(run: RunParts, steps: RunSteps) {
    this.#run = run;
    this.#steps = steps;
  }

  /** What it does in a transaction is written down, as far as that is on. */
  log(buffer: Buffer, start: number, end: number, silent: boolean): void {
    const { enabled } = this.#run.context.replays;
    if (!enabled && this.#run.now.replay !== null) {
      this.#run.now.replay.clear();
      this.#run.now.replay = null;
      this.#run.passage.watcher = null;
    }
    if (!enabled) return;
    if (this.#run.now.replay === null) {
      const address = (): string => (this.#run.now.held ?? this.#run.now.connection)?.server.address ?? '';
      this.#run.now.replay = new TransactionReplay(this.#run.context, this.#run.client.state, this, address);
      this.#run.passage.watcher = this.#run.now.replay;
    }
    const { route, plan, shape, statement } = this.#run.now;
    if (silent || route.target === RouteTarget.replica || shape === AnswerShape.prepare) return;
    const { errorSequence } = this.#run.client;
    this.#run.now.replay.starts({ buffer, start, end, plan, shape, statement, errorSequence });
  }

  /** @returns true if it ran again, unheard. */
  ended(replay: TransactionReplay): boolean {
    const { state } = this.#run.client;
    const [errno, insertId] = [this.#run.now.lastErrno, this.#run.now.lastInsertId];
    return replay.ended({
      errno,
      message: errno === 0 ? '' : this.#run.passage.message,
      insertId,
      isOpen: this.#run.now.held !== null && (state.mayBeOpen || state.pins.has(PinReason.setTransaction)),
      isPinned: state.isPinnedByMore,
      wroteOutside: state.hasUnsafeWrite,
    });
  }

  /** The primary was demoted in the middle of a transaction, and has rolled back, or will. */
  isRefused(errno: number): boolean {
    const replay = this.#run.now.replay;
    if (replay === null || replay.isRunning || replay.log.pending === null || this.#run.now.interrupted)
      return false;
    this.#run.now.isRefused =
      isReadOnlyRefusal(errno, this.#run.passage.message) && replay.mayReplay(false, false);
    return this.#run.now.isRefused;
  }

  // ---- ReplayedRun

  runLogged(command: SessionCommand): void {
    this.#runAgain(command, true);
  }

  ask(text: string, done: (errno: number, value: string | null) => void): void {
    const connection = this.#run.now.held;
    const replay = this.#run.now.replay;
    if (connection === null || replay === null) return;
    const lost = (reason: string): void => {
      if (this.#run.now.held === connection && replay.isRunning) replay.lost(reason);
    };
    const recorder = new RecordingReply((_, { errno, rows }) => done(errno, rows[0]?.[0] ?? null), lost);
    connection.sendCommand(Command.COM_QUERY, text, ownReply(recorder));
  }

  resume(command: SessionCommand | null): void {
    this.#run.trace.goesOn();
    if (command === null) this.#run.client.restored();
    else this.#runAgain(command, false);
  }

  #runAgain(command: SessionCommand, silent: boolean): void {
    const { packet, plan, shape, statement, definition } = command;
    this.#run.client.errorSequence = command.errorSequence;
    this.#run.now.statement = statement;
    if (statement !== null && definition !== null) {
      statement.definition = definition;
      statement.readExecute(packet, 0, packet.length);
    }
    this.#run.now.repeatable = false;
    this.#run.now.isHarmless = false;
    this.#run.packet.clear();
    this.#run.readOnlyPrimary.begins(false);
    this.#run.now.route = this.#run.now.held === null ? REPLAY_BEGINS : REPLAY_HELD;
    this.#run.now.plan = plan;
    this.#run.now.shape = shape;
    this.#steps.begin(packet, 0, packet.length, silent);
  }

  dropConnection(reason: string, waits: boolean): void {
    const connection = this.#run.now.connection ?? this.#run.now.held;
    if (this.#run.approach.step !== ApproachStep.none) this.#run.approach.cancel();
    if (this.#run.now.phase !== RunPhase.idle)
      this.#run.now.phase = moveRun(this.#run.now.phase, RunPhase.idle);
    this.#run.approach.search.ended();
    this.#run.now.connection = null;
    this.#run.now.held = null;
    this.#run.now.kill = null;
    this.#run.trace.pauses();
    if (connection !== null && !connection.isClosed) connection.close(reason);
    this.#run.now.waitsForHeir = waits;
  }

  giveUp(error: ClientError, command: SessionCommand | null): void {
    this.#run.trace.goesOn();
    if (command !== null) {
      this.#run.client.errorSequence = command.errorSequence;
      this.#run.passage.begin(null, null, false);
      this.#steps.answerWith(error);
    }
    this.#run.client.heldConnectionLost(error.message);
  }
}
