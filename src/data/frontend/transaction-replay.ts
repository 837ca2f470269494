/**
 * A transaction whose connection was lost before COMMIT is done again on the server that is primary now, command by
 * command, and goes on there if its client cannot tell the difference: each answer has the same bytes as the first time.
 *
 * | state     | meaning                                                   | left by                                  |
 * |-----------|-----------------------------------------------------------|------------------------------------------|
 * | logging   | the session's commands are written down                   | `begin`                                  |
 * | replaying | they run again, and nobody hears them                     | the last one, another answer, a KILL     |
 *
 * What the server has rolled back in the middle of it (a deadlock), or a connection that is lost again, only means
 * that it begins anew: nothing of it has been committed.
 */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import { ReplayObstacle } from '../replay/replay-obstacle.ts';
import { type CommandEnd, type LoggedCommand, TransactionLog } from '../replay/transaction-log.ts';
import type { Plan } from '../router/plan.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import { isReadOnlyRefusal } from './read-only-primary.ts';
import type { SessionMark, SessionState } from './session-state.ts';

export type SessionCommand = LoggedCommand<ClientStatement>;

/** ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK: it may go well the next time. */
const TRANSIENT: ReadonlySet<number> = new Set([1205, 1213]);
const TOO_LONG = Buffer.alloc(0);
/** In front of a transaction that has begun without it: there must be a connection to name its first id on. */
const BEGIN: SessionCommand = {
  packet: Buffer.concat([Buffer.from([Command.COM_QUERY]), Buffer.from('BEGIN')]),
  plan: null,
  shape: AnswerShape.query,
  statement: null,
  definition: null,
  errorSequence: 1,
  checksum: 0,
  errno: 0,
  insertId: 0,
};

/** The session's run, as far as a replay drives it. */
export interface ReplayedRun {
  /** Unheard, on the connection that is held, else on one of the primary. */
  runLogged(command: SessionCommand): void;
  /** A statement of Sluice's own on the connection that is held. */
  ask(text: string, done: (errno: number, value: string | null) => void): void;
  /** What was lost, for its client; null: nothing ran. */
  resume(command: SessionCommand | null): void;
  /** Lets go of the connection, and of what is open on it. @param waits for a moment, before there is another one */
  dropConnection(reason: string, waits: boolean): void;
  /** The client is told, and its session ends. @param command that it waits for the answer of */
  giveUp(error: ClientError, command: SessionCommand | null): void;
}

/** A command that is about to run. */
export interface CommandStart {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly plan: Plan | null;
  readonly shape: AnswerShape;
  readonly statement: ClientStatement | null;
  readonly errorSequence: number;
}

export class TransactionReplay {
  readonly log: TransactionLog<ClientStatement>;
  readonly #context: WorkerContext;
  readonly #state: SessionState;
  readonly #run: ReplayedRun;
  readonly #address: () => string;
  #mark: SessionMark | null = null;
  #markOfNext: SessionMark | null = null;
  /** Of the log, what runs again now; below 0: nothing does. */
  #next = -1;
  /** Its id was named before what runs now. */
  #isIdNamed = false;
  /** BEGIN in front of it runs. */
  #isOpening = false;
  #interrupted: SessionCommand | null = null;
  #beganMs = 0;
  #isCounted = false;
  #lostAddress = '';
  #reason = '';

  constructor(context: WorkerContext, state: SessionState, run: ReplayedRun, address: () => string) {
    this.#context = context;
    this.#state = state;
    this.#run = run;
    this.#address = address;
    this.log = new TransactionLog(context.replays);
  }

  get isRunning(): boolean {
    return this.#next >= 0;
  }

  // ---- logging

  /** A command that is not for a replica is about to run. */
  starts(command: CommandStart): void {
    const { log } = this;
    if (!this.#mayBeOfTransaction(command.plan)) return;
    const { plan, shape, statement, errorSequence } = command;
    const isBegin = plan?.statement.kind === StatementKind.begin;
    if (log.isEmpty) this.#mark = this.#state.mark();
    // It ends the open one, and the next one begins with what the session is now.
    else if (isBegin) this.#markOfNext = this.#state.mark();
    const { replays } = this.#context;
    const isKept = (log.obstacle === null || isBegin) && command.end - command.start <= replays.maxBytes;
    const packet = isKept ? copyOf(command) : TOO_LONG;
    const definition = statement?.definition ?? null;
    const nothing = { checksum: 0, errno: 0, insertId: 0 };
    log.begins({ packet, plan, shape, statement, definition, errorSequence, ...nothing }, replays);
    // A cursor, long data: they are of one connection.
    if (statement?.wantsOwn === true) log.block(ReplayObstacle.pinned);
  }

  #mayBeOfTransaction(plan: Plan | null): boolean {
    if (!this.log.isEmpty || this.#state.variables?.autocommit === false) return true;
    if (plan === null) return false;
    return plan.statement.transactionControl || plan.statement.kind === StatementKind.setTransaction;
  }

  passed(bytes: Uint8Array): void {
    if (this.isRunning || this.log.pending !== null) this.log.passed(bytes);
  }

  /** A command has ended, whoever has run it. @returns true if it was one of a replay */
  ended(end: CommandEnd): boolean {
    if (!this.isRunning) {
      if (this.log.ended(end)) this.#mark = this.#markOfNext;
      return false;
    }
    this.#compare(end);
    return true;
  }

  // ---- replaying

  /**
   * The connection was lost, or its server refuses to write, while a command ran (`log.pending`) or none did.
   * @param started the client has part of the answer. @param sent the command may have reached the server, and may
   * have been executed there.
   */
  mayReplay(started: boolean, sent: boolean): boolean {
    const { log } = this;
    if (this.isRunning || log.obstacle !== null) return false;
    if (log.pending === null) return !log.isEmpty;
    if (started) log.block(ReplayObstacle.partialAnswer);
    else if (sent && log.pendingMayEnd && !log.pendingIsRollback) log.block(ReplayObstacle.mayHaveCommitted);
    return log.obstacle === null;
  }

  /** @param isRefused the server is there, and is no primary any more. */
  begin(address: string, reason: string, isRefused: boolean): void {
    const { log } = this;
    this.#interrupted = log.pending;
    this.#lostAddress = address;
    this.#reason = reason;
    this.#beganMs = performance.now();
    this.#count(true);
    this.#context.log('debug', 'a transaction is replayed', { reason, commands: log.commands.length });
    this.#run.dropConnection(reason, isRefused);
    if (log.pendingIsRollback) {
      // What it would undo is undone. What the session has set meanwhile it keeps.
      log.clear();
      this.#state.transactionLost();
      this.#resume();
      return;
    }
    this.#restart();
  }

  #restart(): void {
    if (this.#mark !== null) this.#state.restore(this.#mark);
    this.#next = 0;
    const [first] = this.log.commands;
    this.#isOpening = first !== undefined && !opens(first);
    if (this.#isOpening) this.#run.runLogged(BEGIN);
    else this.#go();
  }

  #go(): void {
    const command = this.log.commands[this.#next];
    if (command === undefined) {
      this.#finished();
      return;
    }
    this.#isIdNamed = this.#namesId(command);
    if (this.#isIdNamed) this.#ask(`SET insert_id=${command.insertId}`, () => this.#runAgain(command));
    else this.#runAgain(command);
  }

  #runAgain(command: SessionCommand): void {
    this.log.restartChecksum();
    this.#run.runLogged(command);
  }

  /**
   * AUTO_INCREMENT would make another id the second time, unless it is named beforehand. An id that the statement
   * itself has brought must not be named: it would be left for the next row.
   */
  #namesId({ insertId, plan }: SessionCommand): boolean {
    return insertId !== 0 && plan?.bringsIds !== true;
  }

  #ask(text: string, then: (value: string | null) => void): void {
    const next = this.#next;
    this.#run.ask(text, (errno, value) => {
      if (this.#next !== next) return;
      if (errno === 0) then(value);
      else this.#giveUp(`error ${errno} of ${text}`);
    });
  }

  #compare(end: CommandEnd): void {
    const command = this.log.commands[this.#next];
    if (command === undefined) return;
    if (this.#isOpening) {
      this.#isOpening = false;
      if (end.errno === 0) this.#go();
      else this.#giveUp(`error ${end.errno} of BEGIN`);
      return;
    }
    const isSame = command.errno === end.errno && command.checksum === this.log.checksum && end.isOpen;
    if (isSame) this.#matched(command);
    else if (end.errno === 0 && command.errno === 0 && end.insertId !== command.insertId)
      this.#hasOtherId(command);
    else this.#differs(end);
  }

  #matched(command: SessionCommand): void {
    if (!this.#isIdNamed) {
      this.#advance();
      return;
    }
    this.#ask('SELECT @@insert_id', (left) => {
      // A session may want its answers in ucs2.
      if (left?.replaceAll('\0', '') === '0') {
        this.#advance();
        return;
      }
      // It has brought its id, and the named one would be the next row's.
      if (command.plan !== null) command.plan.bringsIds = true;
      this.#again('an id was not its own', false);
    });
  }

  #hasOtherId({ plan, insertId }: SessionCommand): void {
    if (plan === null || this.#isIdNamed) {
      this.#giveUp(`the id of its statement ${this.#next + 1}, ${insertId}, cannot be had`);
      return;
    }
    plan.bringsIds = false;
    this.#again('an id was its own', false);
  }

  #advance(): void {
    this.#context.counters.add(WorkerCounter.replayedStatements);
    this.#next++;
    this.#go();
  }

  #differs(end: CommandEnd): void {
    const isRefused = end.message !== '' && isReadOnlyRefusal(end.errno, end.message);
    if (isRefused || TRANSIENT.has(end.errno)) this.#again(`error ${end.errno}`, true);
    else this.#giveUp(`the answer to its statement ${this.#next + 1} is another one now`);
  }

  /** Nothing of it has been committed: it begins anew. */
  #again(reason: string, waits: boolean): void {
    const { noServerWaitMs } = this.#context.snapshot.settings.limits;
    if (performance.now() - this.#beganMs > noServerWaitMs) {
      this.#giveUp(`not within ${noServerWaitMs} ms: ${reason}`);
      return;
    }
    this.#run.dropConnection(`replay: ${reason}`, waits);
    this.#restart();
  }

  /** Its connection was lost again. */
  lost(reason: string): void {
    this.#again(reason, false);
  }

  /** No connection was to be had, or its state could not be made. */
  failed(error: ClientError): void {
    this.#giveUp(error.message);
  }

  /** KILL, or the end of the statement's time: the statement that was lost is not run again. */
  interrupt(error: ClientError): void {
    this.#end();
    this.#run.dropConnection('killed during a replay', false);
    this.#run.giveUp(error, this.#interrupted);
  }

  #finished(): void {
    const { counters, log } = this.#context;
    if (this.log.commands.length === 0) {
      // Only its first statement was lost.
      this.#resume();
      return;
    }
    counters.add(WorkerCounter.replayedTransactions);
    log('info', 'a transaction was replayed', {
      lost: this.#lostAddress,
      server: this.#address(),
      reason: this.#reason,
      commands: this.log.commands.length,
      tookMs: Math.round(performance.now() - this.#beganMs),
    });
    this.#resume();
  }

  #resume(): void {
    const command = this.#interrupted;
    this.#count(false);
    this.#next = -1;
    this.#interrupted = null;
    if (command !== null) this.log.resume(command);
    this.#run.resume(command);
  }

  #giveUp(why: string): void {
    this.#context.log('info', 'a transaction could not be replayed', { lost: this.#lostAddress, why });
    this.#context.counters.add(WorkerCounter.replaysFailed);
    this.#end();
    this.#run.dropConnection('a replay was given up', false);
    const reason = `${this.#reason}; it could not be replayed: ${why}`;
    const fields = { address: this.#lostAddress, pin: 'transaction', reason };
    this.#run.giveUp(clientError('PROXY_SESSION_LOST', fields), this.#interrupted);
  }

  /** The session ends, or is reset. */
  clear(): void {
    this.#end();
    this.#interrupted = null;
  }

  #count(isCounted: boolean): void {
    if (isCounted === this.#isCounted) return;
    this.#isCounted = isCounted;
    this.#context.replays.count(isCounted ? 1 : -1);
  }

  #end(): void {
    this.#count(false);
    this.#next = -1;
    this.#mark = null;
    this.log.clear();
  }
}

function opens({ plan }: SessionCommand): boolean {
  const kind = plan?.statement.kind;
  return kind === StatementKind.begin || kind === StatementKind.setTransaction;
}

/** Complete in itself: types that an execution relies on are put into it. */
function copyOf({ buffer, start, end, statement }: CommandStart): Buffer {
  const withTypes = statement?.executionWithTypes(buffer, start, end) ?? null;
  return withTypes ?? Buffer.from(buffer.subarray(start, end));
}
