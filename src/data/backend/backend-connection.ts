/**
 * One connection to one server, with the session state it has and the queue of replies it owes.
 *
 * | state          | meaning                                          | left by                               |
 * |----------------|--------------------------------------------------|---------------------------------------|
 * | connecting     | TCP is being opened                              | connected, failed                     |
 * | authenticating | the handshake is under way                       | OK of the server, ERR                 |
 * | preparing      | tracking is switched on, variables are read      | both answered                         |
 * | ready          | idle in the pool, held by a session, or batching | reset (preparing again), close        |
 * | closed         | gone; nothing leaves this state                  |                                       |
 *
 * A byte that nobody expects closes the connection: it is never used again.
 */

import {
  type ClientHandshake,
  Command,
  framePacket,
  MAX_FRAGMENT_BYTES,
  StatusFlag,
  writePacketHeader,
} from '../../../protocol/index.ts';
import type { SnapshotServer } from '../../common/snapshot.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { BackendSocket } from '../io/backend-socket.ts';
import type { FlushScheduler } from '../io/flush-scheduler.ts';
import {
  BackendLogin,
  type ConnectionFailure,
  type LoginListener,
  type LoginTarget,
} from './backend-login.ts';
import { BackendStatements } from './backend-statements.ts';
import type { LatencyAverage } from './balancing/latency-average.ts';
import type { ConnectionHolder, ConnectionListener, FluxHolder } from './connection-holder.ts';
import type { ConnectionKey } from './connection-key.ts';
import { InitConnect } from './connection-setup.ts';
import { ConnectionUpkeep } from './connection-upkeep.ts';
import type { ExpectedReply } from './expected-reply.ts';
import type { LastUser } from './last-user.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { SessionVariables } from './session-variables.ts';
import { UserVariables } from './user-variables.ts';

const State = {
  connecting: 'connecting',
  authenticating: 'authenticating',
  preparing: 'preparing',
  ready: 'ready',
  closed: 'closed',
} as const;
type State = (typeof State)[keyof typeof State];

const transition = makeTransitions<State>('backend connection', {
  connecting: ['authenticating', 'closed'],
  authenticating: ['preparing', 'closed'],
  preparing: ['ready', 'closed'],
  ready: ['preparing', 'closed'],
  closed: [],
});

/** Clocks and the network: how long before its wait_timeout an idle connection is left alone. */
const EXPIRY_MARGIN_MS = 5000;
const UNEXPECTED_BYTES = 'sent bytes that nobody expects';

/** Filled for each command and copied at once. */
const commandHeader = Buffer.allocUnsafe(4);

export interface ConnectionTarget extends LoginTarget {
  readonly connectTimeoutMs: number;
  /** Of its server. */
  readonly latency: LatencyAverage;
}

export class BackendConnection implements LoginListener {
  /** As the newest snapshot has it. */
  server: SnapshotServer;
  /** As it was when the connection was opened. */
  readonly openedTo: SnapshotServer;
  readonly key: ConnectionKey;
  readonly collationId: number;
  readonly createdAt = Date.now();
  readonly socket: BackendSocket;
  readonly latency: LatencyAverage;
  /** Known from `ready` on. */
  variables: SessionVariables | null = null;
  /** As a new session on this connection would have them: what the probe after the handshake found. */
  initialVariables: SessionVariables | null = null;
  /** As they are after COM_RESET_CONNECTION. */
  variablesAfterReset: SessionVariables | null = null;
  schema: string | null;
  /** What sessions have set there; of some of it the value is NULL by now. */
  userVariables = UserVariables.none;
  /** LAST_INSERT_ID() there; null where only its last user can tell. */
  lastInsertId: string | null = '0';
  /** Of the last OK or EOF. */
  statusFlags = 0;
  /** The server's thread id, for KILL. */
  threadId = 0;
  /** What client and server have agreed on. */
  capabilities = 0;
  tracksState = false;
  initConnect: InitConnect = InitConnect.none;
  /** Not to be used by anybody else: a KILL may still be on its way to it, or its capabilities have been changed. */
  tainted = false;
  /** The server takes nothing but a new password (1820), and its client knows: its key has an owner. */
  confined = false;
  /** Sluice has allowed several statements in one text; see several-statements.ts. */
  takesSeveral = false;
  idleSince = 0;
  /** Statements of the batch that was sent last. */
  batchSize = 0;
  /** Counted in the pool's gauge of connections in use. */
  counted = false;
  /** Who holds it alone (transaction, pin, running statement), or null. */
  holder: ConnectionHolder | null = null;
  /** The session whose statement ran last, as long as nobody else's has run since. */
  lastUser: LastUser | null = null;
  closeReason = '';
  /** For who has given it back and waits until nothing of his is left there. */
  cleaned: (() => void) | null = null;
  /** Set by whoever streams to this connection (LOCAL INFILE, long data) and waits for room. */
  holderDrained: (() => void) | null = null;
  /** The server has sent what no server sends. */
  brokeProtocol = false;
  readonly statements: BackendStatements;
  readonly replies = new ReplyQueue();
  readonly upkeep: ConnectionUpkeep;

  #state: State = State.connecting;
  readonly #flux: FluxHolder[] = [];
  readonly #listener: ConnectionListener;
  readonly #target: ConnectionTarget;
  #login: BackendLogin | null = null;
  #failure: ConnectionFailure | null = null;
  #closesWhenAnswered: string | null = null;
  /** Closed without a goodbye, though the end of it is told in the next turn only. */
  #destroyed = false;

  constructor(target: ConnectionTarget, scheduler: FlushScheduler, listener: ConnectionListener) {
    this.server = target.server;
    this.openedTo = target.server;
    this.key = target.key;
    this.collationId = target.collationId;
    this.latency = target.latency;
    this.schema = target.schema;
    this.#target = target;
    this.#listener = listener;
    this.statements = new BackendStatements({
      closeStatement: (id) => this.#closeStatement(id),
      countStatements: (difference) => listener.countStatements(difference),
    });
    this.socket = new BackendSocket(target.server, scheduler, {
      onConnected: () => this.#startLogin(),
      onBytes: (buffer, start, end) => this.#receive(buffer, start, end),
      onDrain: () => this.holderDrained?.(),
      onClosed: (error) => this.#closed(error),
    });
    this.upkeep = new ConnectionUpkeep(this, target.connectTimeoutMs, {
      prepared: () => this.#prepared(),
      refused: (failure) => {
        this.#failure = failure;
        this.close(`refused by the server: ${failure.errno} ${failure.message}`);
      },
    });
    this.upkeep.startDeadline();
  }

  /** For messages. */
  get state(): string {
    return this.#state;
  }

  get ready(): boolean {
    return this.#state === State.ready;
  }

  get isClosed(): boolean {
    return this.#state === State.closed;
  }

  /** It has said goodbye, or is about to end otherwise. */
  get isLeaving(): boolean {
    return this.closeReason !== '';
  }

  /** Idle for so long that the server may be about to end it: a statement sent now might be lost. */
  isExpiring(now: number): boolean {
    const allowedMs = this.variables?.waitTimeoutMs ?? null;
    if (allowedMs === null) return false;
    return now - this.idleSince > allowedMs - Math.min(allowedMs / 2, EXPIRY_MARGIN_MS);
  }

  beginFlux(holder: FluxHolder): void {
    this.#flux.push(holder);
  }

  endFlux(holder: FluxHolder): void {
    const index = this.#flux.lastIndexOf(holder);
    if (index === this.#flux.length - 1) this.#flux.pop();
    else if (index >= 0) this.#flux.splice(index, 1);
  }

  #endsFlux(): void {
    while (this.#flux.length > 0) this.#flux.pop()!.connectionEnded(this);
  }

  /** Replies not yet complete. */
  get owed(): number {
    return this.replies.owed;
  }

  /** Asks for a reply; the caller appends the command's bytes to `socket` right away, in the same order. */
  expect(reply: ExpectedReply): void {
    if (reply.isOwn === true) this.upkeep.ownAsked();
    this.replies.add(reply);
  }

  /** One command whose payload is `buffer[start, end)`. */
  sendPacket(buffer: Buffer, start: number, end: number): void {
    const length = end - start;
    // The rare one of 16 MiB and more is split.
    if (length >= MAX_FRAGMENT_BYTES) {
      this.socket.append(framePacket(buffer.subarray(start, end), 0));
      return;
    }
    writePacketHeader(commandHeader, 0, length, 0);
    this.socket.append(commandHeader);
    this.socket.append(buffer, start, end);
  }

  sendCommand(command: number, argument: Uint8Array | string, reply: ExpectedReply): void {
    this.expect(reply);
    const body = typeof argument === 'string' ? Buffer.from(argument, 'utf8') : argument;
    const payload = Buffer.allocUnsafe(1 + body.length);
    payload[0] = command;
    payload.set(body, 1);
    this.socket.append(framePacket(payload, 0));
  }

  #closeStatement(statementId: number): void {
    if (this.#state === State.closed) return;
    const payload = Buffer.allocUnsafe(5);
    payload[0] = Command.COM_STMT_CLOSE;
    payload.writeUInt32LE(statementId, 1);
    this.socket.append(framePacket(payload, 0));
  }

  /** Brings the connection back to what it was after the handshake. `connectionReady` tells when it is. */
  reset(): void {
    this.#state = transition(this.#state, State.preparing);
    this.statements.clear();
    this.upkeep.startDeadline();
    this.upkeep.prepare(true);
  }

  #breach(reason: string): void {
    this.brokeProtocol = true;
    this.close(reason);
  }

  close(reason: string): void {
    if (this.#state === State.closed) return;
    if (this.closeReason === '') this.closeReason = reason;
    this.#destroyed = true;
    // The pool hears of it in the next turn only: until then nobody may get it.
    this.tainted = true;
    this.#login?.end();
    this.#endsFlux();
    this.socket.destroy();
  }

  /** When all that it owes has come, it closes if somebody still holds it for more. */
  closeWhenAnswered(reason: string): void {
    this.#closesWhenAnswered = reason;
  }

  /** What was to come first has not come in time. */
  closeUnanswered(): void {
    if (this.#closesWhenAnswered !== null) this.close(this.#closesWhenAnswered);
  }

  #allAnswered(): void {
    const reason = this.#closesWhenAnswered;
    this.#closesWhenAnswered = null;
    if (reason !== null && this.holder?.isBound === true) this.close(reason);
  }

  /** Says goodbye and closes; for idle connections. */
  quit(reason: string): void {
    if (this.#state === State.closed || this.#destroyed) return;
    this.closeReason = reason;
    if (this.#state === State.ready) this.socket.append(framePacket(Buffer.from([Command.COM_QUIT]), 0));
    this.socket.end();
    // Somebody waits for the server to end its side.
    if (this.cleaned !== null) this.upkeep.startDeadline();
  }

  #startLogin(): void {
    this.#state = transition(this.#state, State.authenticating);
    this.#login = new BackendLogin(this.#target, this.socket, this);
  }

  loggedIn(handshake: ClientHandshake, statusFlags: number): void {
    this.capabilities = handshake.capabilities;
    this.threadId = handshake.threadId;
    this.statusFlags = statusFlags;
    this.replies.begin(this.capabilities);
    this.#login = null;
    this.#state = transition(this.#state, State.preparing);
    this.upkeep.prepare(false);
  }

  loginFailed(failure: ConnectionFailure | null, reason: string): void {
    this.#failure = failure;
    this.close(reason);
  }

  loginBroken(): void {
    if (!this.#destroyed) this.#breach(UNEXPECTED_BYTES);
  }

  #prepared(): void {
    this.#state = transition(this.#state, State.ready);
    this.#listener.connectionReady(this);
  }

  /** @returns the index of the first byte that is still needed. */
  #receive(buffer: Buffer, start: number, end: number): number {
    try {
      if (this.#login !== null) {
        this.#login.receive(Buffer.from(buffer.subarray(start, end)));
        return end;
      }
      return this.#receiveReplies(buffer, start, end);
    } catch (error) {
      this.#breach(`broke the protocol: ${(error as Error).message}`);
      return end;
    }
  }

  #receiveReplies(buffer: Buffer, start: number, end: number): number {
    const { replies } = this;
    let position = start;
    // What stands behind the reply that led to the close is nobody's answer any more.
    while (position < end && this.#state !== State.closed && !this.#destroyed) {
      if (!replies.expectsBytes()) {
        this.#breach(UNEXPECTED_BYTES);
        return end;
      }
      const floor = this.socket.retained ? position : 0;
      position = replies.advance(buffer, position, end, floor);
      const reply = replies.takeComplete();
      if (reply === null) break;
      const tracker = replies.tracker!;
      if (tracker.statusReported) this.statusFlags = tracker.statusFlags;
      // An ERR carries no status, and without autocommit the failed statement may have begun a transaction.
      if (tracker.errno !== 0 && (this.statusFlags & StatusFlag.SERVER_STATUS_AUTOCOMMIT) === 0)
        this.statusFlags |= StatusFlag.SERVER_STATUS_IN_TRANS;
      if (reply.isOwn === true) this.upkeep.ownAnswered();
      // Before whoever gets the connection next has asked for something: it would be taken for the answer to that.
      if (position < end && replies.isLast) this.#breach(UNEXPECTED_BYTES);
      reply.owner.replyComplete(this, tracker);
      if (this.#closesWhenAnswered !== null && this.owed === 0) this.#allAnswered();
    }
    return position;
  }

  /** For the owner of a reply: the command behind it was not executed, and this packet tells so in place of its answer. */
  answerNext(packet: Buffer): void {
    this.#receiveReplies(packet, 0, packet.length);
  }

  #closed(error: Error | null): void {
    if (this.#state === State.closed) return;
    this.upkeep.end();
    this.#state = transition(this.#state, State.closed);
    this.#login?.end();
    if (this.closeReason === '') this.closeReason = error === null ? 'closed by the server' : error.message;
    this.statements.clear();
    this.#endsFlux();
    const { replies, isFirstActive } = this.replies.takeAll();
    const holder = replies.length === 0 ? this.holder : null;
    this.#listener.connectionClosed(this, this.#failure);
    for (const [index, reply] of replies.entries()) {
      const isStarted = index === 0 && isFirstActive && this.replies.tracker?.forwarded === true;
      reply.owner.replyLost(this, this.closeReason, isStarted);
    }
    holder?.heldConnectionClosed(this);
    this.tellCleaned();
  }

  tellCleaned(): void {
    const { cleaned } = this;
    this.cleaned = null;
    cleaned?.();
  }
}
