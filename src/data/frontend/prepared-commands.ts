/**
 * COM_STMT_*: a session that has prepared statements stays on one connection of the primary, where they are. What
 * each statement is is remembered, so that executing it counts like the statement it stands for.
 */

import { Command, framePacket, StatusFlag } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import { PinReason } from '../../sql/statement-class.ts';
import { NOTHING_LEFT } from '../backend/server-pool.ts';
import type { Plan } from '../router/plan.ts';
import { RouteReason, RouteTarget, routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { commandShape } from './command-table.ts';
import type { Session } from './session.ts';
import { RunPhase } from './statement-run.ts';

const HELD = routeOf(RouteTarget.held, RouteReason.pinned);

export class PreparedCommands {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #plans = new Map<number, Plan>();
  #preparing: Plan | null = null;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /** @returns the plan of the statement that is executed, null for other commands. */
  command(command: number, buffer: Buffer, start: number, end: number): Plan | null {
    const session = this.#session;
    if (command === Command.COM_STMT_PREPARE) {
      session.leaveReadOnlyThen(buffer, start, end, (again, from, to) => this.#prepare(again, from, to));
      return null;
    }
    const statementId = end - start >= 5 ? buffer.readUInt32LE(start + 1) : 0;
    const plan = this.#plans.get(statementId) ?? null;
    const { held } = session.run;
    const silent = command === Command.COM_STMT_CLOSE || command === Command.COM_STMT_SEND_LONG_DATA;
    if (held === null || plan === null) {
      if (!silent)
        session.sendError(
          clientError('PROXY_UNKNOWN_STATEMENT', { statementId, command: handlerName(command) }),
        );
      session.commandDone();
      return null;
    }
    if (silent) {
      held.socket.append(framePacket(buffer.subarray(start, end), 0));
      if (command === Command.COM_STMT_CLOSE) this.#close(statementId);
      session.commandDone();
      return null;
    }
    const executed = command === Command.COM_STMT_EXECUTE ? plan : null;
    session.run.errorReplacement = null;
    session.run.start(buffer, start, end, HELD, executed, commandShape(command));
    return executed;
  }

  /** After each command of the session. */
  commandFinished(): void {
    const plan = this.#preparing;
    if (plan === null) return;
    this.#preparing = null;
    if (this.#session.run.lastErrno === 0) this.#plans.set(this.#session.run.lastStatementId, plan);
    this.#unpinIfEmpty();
  }

  /** The connection that had them is gone, or reset. */
  clear(): void {
    this.#plans.clear();
    this.#preparing = null;
  }

  #prepare(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const context = session.lexicalContext();
    if (context === null) {
      session.start.learn(buffer, start, end, (packet) => this.#prepare(packet, 0, packet.length));
      return;
    }
    this.#preparing = this.#context.plans.planFor(buffer, start + 1, end, context);
    session.state.pin(PinReason.binaryPrepare);
    session.readOnly.avoided = true;
    session.toPrimary(buffer, start, end);
  }

  #close(statementId: number): void {
    this.#plans.delete(statementId);
    this.#unpinIfEmpty();
  }

  #unpinIfEmpty(): void {
    if (this.#plans.size > 0) return;
    const { state, run } = this.#session;
    state.unpin(PinReason.binaryPrepare);
    if (state.pinned || run.held === null || run.phase !== RunPhase.idle) return;
    if ((run.held.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0) run.releaseHeld(NOTHING_LEFT);
  }
}

/** As the server names the command in ER_UNKNOWN_STMT_HANDLER. */
function handlerName(command: number): string {
  if (command === Command.COM_STMT_EXECUTE) return 'mysqld_stmt_execute';
  return command === Command.COM_STMT_FETCH ? 'mysqld_stmt_fetch' : 'mysqld_stmt_reset';
}
