/** Commands that Sluice answers itself: they concern the session, or other sessions, and no server. */

import { Capability, Command, frameEof, frameOk } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import { KillOutcome } from '../../common/thread-messages.ts';
import { parseKill } from '../../sql/kill-statement.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { connectionKeyOf } from '../backend/connection-key.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** MYSQL_OPTION_MULTI_STATEMENTS_ON and _OFF of COM_SET_OPTION. */
const MULTI_STATEMENTS_ON = 0;
const MULTI_STATEMENTS_OFF = 1;

export class LocalCommands {
  readonly #session: Session;
  readonly #context: WorkerContext;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  answer(command: number, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    switch (command) {
      case Command.COM_QUIT:
        session.close('quit');
        return;
      case Command.COM_SET_OPTION:
        this.#setOption(buffer, start, end);
        return;
      case Command.COM_PROCESS_KILL:
        this.#requestKill(end - start >= 5 ? buffer.readUInt32LE(start + 1) : 0, false);
        return;
      case Command.COM_RESET_CONNECTION:
        // What a session has after it is learnt with what it starts with.
        session.start.learn(buffer, start, end, () => {
          session.restart();
          session.run.lastWarnings = 0;
          this.#sendOk();
          session.commandDone();
        });
        return;
      default:
        this.#sendOk();
        session.commandDone();
    }
  }

  /** KILL as a statement. @returns false if it is not plain enough to be answered here. */
  kill(buffer: Buffer, start: number, end: number, context: LexicalContext): boolean {
    const kill = parseKill(buffer, start, end, context);
    if (kill === null) return false;
    this.#requestKill(kill.id, kill.target === 'query');
    return true;
  }

  #requestKill(connectionId: number, queryOnly: boolean): void {
    const session = this.#session;
    if (connectionId === session.identity.connectionId) {
      this.#killSelf(queryOnly);
      return;
    }
    this.#context.sessions.requestKill(connectionId, queryOnly, session.username, (outcome) => {
      if (session.phase === SessionPhase.closed) return;
      if (outcome === KillOutcome.killed) this.#sendOk();
      else if (outcome === KillOutcome.denied)
        session.sendError(clientError('PROXY_KILL_DENIED', { connectionId }));
      else session.sendError(clientError('PROXY_NO_SUCH_THREAD', { connectionId }));
      session.commandDone();
    });
  }

  /** The statement that ends is the KILL itself: MySQL calls it interrupted, MariaDB the connection killed. */
  #killSelf(queryOnly: boolean): void {
    const session = this.#session;
    const isMysql = this.#context.backends.dialect.flavor === 'mysql';
    const code = queryOnly || isMysql ? 'PROXY_QUERY_INTERRUPTED' : 'PROXY_CONNECTION_KILLED';
    session.sendError(clientError(code, {}));
    if (queryOnly) session.commandDone();
    else session.close('KILL of itself');
  }

  #sendOk(): void {
    const { state, clientCapabilities } = this.#session;
    // MySQL repeats the count of the statement before in its answer to COM_PING, MariaDB does not.
    const isMysql = this.#context.backends.dialect.flavor === 'mysql';
    const warnings = isMysql ? this.#session.run.lastWarnings : 0;
    this.#session.write(frameOk({ statusFlags: state.statusFlags, warnings }, clientCapabilities, 1));
  }

  /** A capability of the connection: others serve the session from now on. */
  #setOption(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const option = end - start >= 3 ? buffer.readUInt16LE(start + 1) : -1;
    if (option !== MULTI_STATEMENTS_ON && option !== MULTI_STATEMENTS_OFF) {
      session.sendError(clientError('PROXY_UNKNOWN_COMMAND', {}));
      session.commandDone();
      return;
    }
    const flag = Capability.CLIENT_MULTI_STATEMENTS;
    const { credentials, behaviourFlags } = session.connectionKey;
    const flags = option === MULTI_STATEMENTS_ON ? behaviourFlags | flag : behaviourFlags & ~flag;
    session.identity = { ...session.identity, connectionKey: connectionKeyOf(credentials, flags) };
    if (session.run.held !== null) {
      session.toPrimary(buffer, start, end);
      return;
    }
    const { clientCapabilities } = session;
    const { statusFlags } = session.state;
    const deprecated = (clientCapabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
    session.write(
      deprecated
        ? frameOk({ header: 0xfe, statusFlags }, clientCapabilities, 1)
        : frameEof({ statusFlags, warnings: 0 }, clientCapabilities, 1),
    );
    session.commandDone();
  }
}
