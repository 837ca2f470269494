/** Commands that Sluice answers itself: they concern the session, or other sessions, and no server. */

import { Capability, Command, frameEof, frameOk, StatusFlag } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import { KillTarget, parseKill, parseLeadingKill } from '../../sql/kill-statement.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import type { WorkerContext } from '../worker-context.ts';
import { KillCommand } from './kill-command.ts';
import type { Session } from './session.ts';

/** MYSQL_OPTION_MULTI_STATEMENTS_ON and _OFF of COM_SET_OPTION. */
const MULTI_STATEMENTS_ON = 0;
const MULTI_STATEMENTS_OFF = 1;

export class LocalCommands {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #kill: KillCommand;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
    this.#kill = new KillCommand(session, context);
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
        this.#processKill(buffer, start, end);
        return;
      case Command.COM_RESET_CONNECTION:
        if (session.run.held?.confined === true) {
          session.commands.toPrimary(buffer, start, end);
          return;
        }
        // What a session has after it is learnt with what it starts with.
        session.start.learn(buffer, start, end, () => {
          session.cleanup.restart();
          session.run.lastWarnings = 0;
          session.cleanup.whenDone(() => {
            this.#sendOk();
            session.commandDone();
          });
        });
        return;
      default:
        this.#sendOk();
        session.commandDone();
    }
  }

  /** KILL as a statement. @returns false if it is not plain enough to be answered here. */
  kill(
    buffer: Buffer,
    start: number,
    end: number,
    context: LexicalContext,
    forward: (packet: Buffer) => void,
  ): boolean {
    const kill = parseKill(buffer, start + 1, end, context);
    if (kill === null) return this.#leadingKill(buffer, start, end, context, forward);
    const packet = Buffer.from(buffer.subarray(start, end));
    this.#kill.run(
      kill,
      () => this.#done(),
      () => forward(packet),
    );
    return true;
  }

  /** `KILL 5; SELECT …`: an OK that announces another result, then the rest as if it had come alone. */
  #leadingKill(
    buffer: Buffer,
    start: number,
    end: number,
    context: LexicalContext,
    forward: (packet: Buffer) => void,
  ): boolean {
    const session = this.#session;
    const leading = session.account.allowsMultiStatements
      ? parseLeadingKill(buffer, start + 1, end, context)
      : null;
    if (leading === null) return false;
    const packet = Buffer.from(buffer.subarray(start, end));
    const rest = Buffer.concat([packet.subarray(0, 1), packet.subarray(leading.rest - start)]);
    this.#kill.run(
      leading.kill,
      () => {
        this.#sendOk(StatusFlag.SERVER_MORE_RESULTS_EXISTS);
        session.commands.continueWith(rest);
      },
      () => forward(packet),
    );
    return true;
  }

  /** COM_PROCESS_KILL. MariaDB reads what is missing of the id as zeros. */
  #processKill(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (end - start < 5 && this.#isMysql) {
      session.refuse(clientError('PROXY_MALFORMED_PACKET', {}));
      return;
    }
    const packet = Buffer.alloc(5);
    buffer.copy(packet, 0, start, end);
    const kill = { target: KillTarget.connection, queryOnly: false, id: packet.readUInt32LE(1), user: '' };
    this.#kill.run(
      kill,
      () => this.#done(),
      () => session.commands.passOn(packet, 0, 5),
    );
  }

  get #isMysql(): boolean {
    return this.#context.backends.dialect.flavor === 'mysql';
  }

  #done(): void {
    this.#sendOk();
    this.#session.commandDone();
  }

  #sendOk(moreFlags = 0): void {
    const { state, clientCapabilities, errorSequence } = this.#session;
    // MySQL repeats the count of the statement before in its answer to COM_PING, MariaDB does not.
    const warnings = this.#isMysql ? this.#session.run.lastWarnings : 0;
    const statusFlags = state.statusFlags | moreFlags;
    this.#session.write(frameOk({ statusFlags, warnings }, clientCapabilities, errorSequence));
  }

  #setOption(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (end - start < 3 && this.#isMysql) {
      session.refuse(clientError('PROXY_MALFORMED_PACKET', {}));
      return;
    }
    // MariaDB reads what is missing as zeros.
    const low = end - start > 1 ? buffer[start + 1]! : 0;
    const option = low + (end - start > 2 ? buffer[start + 2]! << 8 : 0);
    if (option !== MULTI_STATEMENTS_ON && option !== MULTI_STATEMENTS_OFF) {
      session.sendError(clientError('PROXY_UNKNOWN_COMMAND', {}));
      session.commandDone();
      return;
    }
    session.account.allowMultiStatements(option === MULTI_STATEMENTS_ON);
    const { held } = session.run;
    if (held !== null) {
      // From now on it is not what its key says: nobody else gets it.
      held.tainted = true;
      session.commands.toPrimary(buffer, start, end);
      return;
    }
    const { clientCapabilities } = session;
    const { statusFlags } = session.state;
    const warnings = this.#isMysql ? session.run.lastWarnings : 0;
    const deprecated = (clientCapabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
    session.write(
      deprecated
        ? frameOk({ header: 0xfe, statusFlags, warnings }, clientCapabilities, 1)
        : frameEof({ statusFlags, warnings }, clientCapabilities, 1),
    );
    session.commandDone();
  }
}
