/**
 * What a session has done in its open transaction, so that it can be done again on another server: each command with a
 * checksum of what its client got. One for each session that has `transactionReplay` on, used for one transaction after
 * the other.
 *
 * | state    | meaning                                              | left by                                        |
 * |----------|------------------------------------------------------|------------------------------------------------|
 * | empty    | no transaction is open                               | a command that may begin one                   |
 * | complete | everything since the beginning is there              | its end, something that cannot be done again   |
 * | blocked  | the transaction cannot be done again (`obstacle`)    | its end                                        |
 */

import { crc32 } from 'node:zlib';
import type { AnswerShape } from '../../../protocol/index.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import type { StatementDefinition } from '../backend/statement-definition.ts';
import type { Plan } from '../router/plan.ts';
import { mayEnd, obstacleOf, ReplayObstacle } from './replay-obstacle.ts';
import type { ReplaySettings, WorkerReplays } from './worker-replays.ts';

/** For the object itself. */
const COMMAND_BYTES = 200;

export interface LoggedCommand<Statement> {
  /** As it was sent, but for the number of a prepared statement. */
  readonly packet: Buffer;
  readonly plan: Plan | null;
  readonly shape: AnswerShape;
  /** Executed by it. */
  readonly statement: Statement | null;
  readonly definition: StatementDefinition | null;
  /** Sequence id of the first packet of its answer. */
  readonly errorSequence: number;
  /** Of the bytes that the client got, and the error that ended them. */
  checksum: number;
  errno: number;
  /** That it has made, or was given; 0 for none. */
  insertId: number;
}

/** What the session is after a command. */
export interface CommandEnd {
  readonly errno: number;
  /** Of the server's error; '' for none. */
  readonly message: string;
  /** 0: it has not made one. */
  readonly insertId: number;
  /** A transaction is open, or one-shot characteristics wait for the next one. */
  readonly isOpen: boolean;
  /** It is bound to its connection by more than the transaction. */
  readonly isPinned: boolean;
  /** The server says that a table without transactions was written. */
  readonly wroteOutside: boolean;
}

export class TransactionLog<Statement> {
  readonly #memory: WorkerReplays;
  #commands: LoggedCommand<Statement>[] = [];
  #pending: LoggedCommand<Statement> | null = null;
  #bytes = 0;
  #checksum = 0;
  #obstacle: ReplayObstacle | null = null;
  /** When what runs began. */
  #wasBlocked = false;
  #hasInsertId = false;

  constructor(memory: WorkerReplays) {
    this.#memory = memory;
  }

  /** In their order, without the one that runs. */
  get commands(): readonly LoggedCommand<Statement>[] {
    return this.#commands;
  }

  /** What runs, or was lost. */
  get pending(): LoggedCommand<Statement> | null {
    return this.#pending;
  }

  get isEmpty(): boolean {
    return this.#commands.length === 0 && this.#obstacle === null;
  }

  /** Why it cannot be done again; null if it can, or if there is nothing. */
  get obstacle(): ReplayObstacle | null {
    return this.#obstacle;
  }

  /** Whether what runs may have ended the transaction by itself. */
  get pendingMayEnd(): boolean {
    const statement = this.#pending?.plan?.statement;
    if (statement === undefined) return false;
    const isFirst = this.#commands.every(({ plan }) => isSetTransaction(plan));
    return mayEnd(statement) && !(isFirst && statement.kind === StatementKind.begin);
  }

  get pendingIsRollback(): boolean {
    const statement = this.#pending?.plan?.statement;
    return statement?.kind === StatementKind.rollback && statement.statementCount === 1;
  }

  /** A command goes to the primary, in a transaction or as the first of one. */
  begins(command: LoggedCommand<Statement>, limits: ReplaySettings): void {
    this.#checksum = 0;
    this.#pending = command;
    this.#wasBlocked = this.#obstacle !== null;
    const bytes = command.packet.length + COMMAND_BYTES;
    if (this.#obstacle === null) this.#obstacle = this.#obstacleTo(command, bytes, limits);
    if (this.#obstacle !== null) this.#forgetCommands();
  }

  block(obstacle: ReplayObstacle): void {
    this.#obstacle ??= obstacle;
    this.#forgetCommands();
  }

  /** Bytes go to the client. */
  passed(bytes: Uint8Array): void {
    this.#checksum = crc32(bytes, this.#checksum);
  }

  get checksum(): number {
    return this.#checksum;
  }

  /** Another answer is about to pass. */
  restartChecksum(): void {
    this.#checksum = 0;
  }

  /** What was lost runs behind the others, which have run again. */
  resume(command: LoggedCommand<Statement>): void {
    this.#checksum = 0;
    this.#pending = command;
  }

  /** The command has its answer. @returns true if it has begun another transaction than that of the commands before */
  ended(end: CommandEnd): boolean {
    const command = this.#pending;
    this.#pending = null;
    if (!end.isOpen) this.clear();
    else if (command === null) this.block(ReplayObstacle.beginUnknown);
    else {
      const isAnother = this.#startsOver(command, end);
      this.#add(command, end);
      return isAnother;
    }
    return false;
  }

  #add(command: LoggedCommand<Statement>, end: CommandEnd): void {
    command.checksum = this.#checksum;
    command.errno = end.errno;
    command.insertId = end.insertId;
    if (end.isPinned) this.block(ReplayObstacle.pinned);
    if (end.wroteOutside) this.block(ReplayObstacle.nonTransactional);
    if (this.#obstacle !== null) return;
    const bytes = command.packet.length + COMMAND_BYTES;
    this.#commands.push(command);
    this.#bytes += bytes;
    this.#memory.take(bytes);
    this.#hasInsertId ||= end.insertId !== 0;
  }

  clear(): void {
    this.#forgetCommands();
    this.#pending = null;
    this.#obstacle = null;
  }

  /** A transaction is open after a statement that ends one: another one has begun. */
  #startsOver({ plan, packet }: LoggedCommand<Statement>, end: CommandEnd): boolean {
    const statement = plan?.statement;
    if (statement === undefined || end.errno !== 0 || !mayEnd(statement)) return false;
    const isBegin = statement.kind === StatementKind.begin && statement.statementCount === 1;
    const isFirst = this.#commands.every(({ plan: before }) => isSetTransaction(before));
    if (isBegin && isFirst && !this.#wasBlocked) return false;
    this.clear();
    // AND CHAIN brings characteristics along that nobody has written down.
    if (!isBegin) this.#obstacle = ReplayObstacle.beginUnknown;
    else if (packet.length === 0) this.#obstacle = ReplayObstacle.tooLong;
    else if (!this.#memory.hasRoomFor(packet.length + COMMAND_BYTES))
      this.#obstacle = ReplayObstacle.noMemory;
    return isBegin;
  }

  #obstacleTo(
    { plan, packet }: LoggedCommand<Statement>,
    bytes: number,
    limits: ReplaySettings,
  ): ReplayObstacle | null {
    const statement = plan?.statement;
    if (statement === undefined) return ReplayObstacle.statement;
    if (packet.length === 0 || this.#bytes + bytes > limits.maxBytes) return ReplayObstacle.tooLong;
    if (this.#commands.length >= limits.maxStatements) return ReplayObstacle.tooLong;
    if (!this.#memory.hasRoomFor(bytes)) return ReplayObstacle.noMemory;
    if (statement.residue.lastInsertId && !this.#hasInsertId) return ReplayObstacle.earlierInsertId;
    return obstacleOf(statement, this.#commands.length === 0);
  }

  #forgetCommands(): void {
    if (this.#bytes > 0) this.#memory.give(this.#bytes);
    this.#commands = [];
    this.#bytes = 0;
    this.#hasInsertId = false;
  }
}

function isSetTransaction(plan: Plan | null): boolean {
  return plan?.statement.kind === StatementKind.setTransaction;
}
