/**
 * The new process's side of a restart in which it takes over from another one.
 *
 * | state    | meaning                                                            | left by                            |
 * |----------|--------------------------------------------------------------------|------------------------------------|
 * | starting | it reads its configuration, looks at the servers; lets nobody in   | ready                              |
 * | ready    | it has said so                                                     | "yours", the old process's end     |
 * | taking   | it opens the sockets                                               | all of them let clients in         |
 * | beside   | it serves; the old process has clients still: nothing is vouched for | the old process's end            |
 * | alone    | as any other process                                               | never                              |
 *
 * "Cancelled" before `beside` ends the process. The end of the old one without a word does not: its sockets are here, and
 * whoever waits in their queues is served as soon as this one is ready.
 */

import { closeSync } from 'node:fs';
import { type ListeningSocket, socketIdentity } from '../../common/listening-socket.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { takeFirstMessages } from './first-messages.ts';
import {
  type AdministeredServer,
  type FromGiver,
  type FromTaker,
  HANDOVER_PROTOCOL,
  HANDOVER_VARIABLE,
  type HandoverOffer,
  readFromGiver,
} from './handover-messages.ts';

const State = {
  starting: 'starting',
  ready: 'ready',
  taking: 'taking',
  beside: 'beside',
  alone: 'alone',
} as const;
type State = (typeof State)[keyof typeof State];

const transition = makeTransitions<State>('taker of a handover', {
  starting: ['ready'],
  ready: ['taking'],
  taking: ['beside'],
  beside: ['alone'],
  alone: [],
});

/** For the first message of the process that has started this one. */
const OFFER_MS = 10_000;
const EXIT_FAILED = 1;
const LAST_WORDS_MS = 1000;

export class HandoverTaker {
  readonly offer: HandoverOffer;
  readonly #startedAtMs = performance.now();
  #state: State = State.starting;
  #isYours = false;
  #administered: readonly AdministeredServer[] = [];
  #isReleased = false;
  #isClean = false;
  /** The channel is closed: the old process has ended. */
  #hasGone = false;
  #clients = 0;
  #wake: (() => void)[] = [];

  private constructor(offer: HandoverOffer) {
    this.offer = offer;
    process.on('message', (message) => this.#received(readFromGiver(message)));
    process.on('disconnect', () => this.#gone());
    if (!process.connected) this.#gone();
    process.channel?.unref();
  }

  /**
   * To be called before anything else is done.
   * @returns null for a process that was started otherwise
   * @throws Error if what has started it cannot be understood
   */
  static async connect(version: string): Promise<HandoverTaker | null> {
    if (process.env[HANDOVER_VARIABLE] === undefined) return null;
    delete process.env[HANDOVER_VARIABLE];
    if (process.send === undefined) throw new Error(`${HANDOVER_VARIABLE} is for Sluice itself`);
    passOnWords();
    say({ type: 'hello', protocol: HANDOVER_PROTOCOL, version });
    const offer = await firstMessage();
    if (offer.protocol !== HANDOVER_PROTOCOL)
      throw new Error(
        `version ${offer.version} hands over by protocol ${offer.protocol}, this one by ${HANDOVER_PROTOCOL}: stop and start it`,
      );
    const lost = offer.sockets.filter(
      ({ fd, identity }) => identity !== '' && socketIdentity(fd) !== identity,
    );
    if (lost.length > 0) throw new Error('the sockets changed while they were handed over: ask for it again');
    return new HandoverTaker(offer);
  }

  get sockets(): readonly ListeningSocket[] {
    return this.offer.sockets;
  }

  /** Of the process before this one; null when it has gone. */
  get before(): { readonly pid: number; readonly clients: number } | null {
    return this.#state === State.alone ? null : { pid: this.offer.pid, clients: this.#clients };
  }

  /** From "yours" on. */
  get administered(): readonly AdministeredServer[] {
    return this.#administered;
  }

  get isClean(): boolean {
    return this.#isClean;
  }

  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }

  /** Its last words; resolves when they are said, or nobody listens. */
  failed(reason: string): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, LAST_WORDS_MS);
      say({ type: 'words', text: `${reason}\n` }, resolve);
    });
  }

  /** What is in the way of being ready. */
  waits(reasons: readonly string[]): void {
    say({ type: 'waiting', reasons });
  }

  /** Resolves when the sockets are this process's to open. */
  async ready(): Promise<void> {
    this.#state = transition(this.#state, State.ready);
    say({ type: 'ready' });
    await this.#until(() => this.#isYours || this.#hasGone);
    this.#state = transition(this.#state, State.taking);
  }

  /** Clients are let in. Those sockets that nobody here wants are closed. */
  taken(isOpen: (socket: ListeningSocket) => boolean): readonly ListeningSocket[] {
    this.#state = transition(this.#state, State.beside);
    const unwanted = this.sockets.filter((socket) => !isOpen(socket));
    for (const { fd } of unwanted) closeSync(fd);
    say({ type: 'taken' });
    return unwanted;
  }

  /** Who watches over the service has been told of this process. */
  announced(): void {
    say({ type: 'announced' });
  }

  /** Resolves when what only one process may do is this one's. */
  released(): Promise<void> {
    return this.#until(() => this.#isReleased || this.#hasGone);
  }

  /** Resolves when the old process serves nobody any more. */
  async alone(): Promise<void> {
    await this.#until(() => this.#hasGone);
    this.#state = transition(this.#state, State.alone);
  }

  #received(message: FromGiver | null): void {
    switch (message?.type) {
      case 'yours':
        this.#isYours = true;
        this.#administered = message.administered;
        break;
      case 'released':
        this.#isReleased = true;
        break;
      case 'draining':
        this.#clients = message.clients;
        break;
      case 'gone':
        this.#isClean = true;
        break;
      case 'cancelled':
        // It waits no more, and goes on with all that it has.
        if (this.#state !== State.alone) process.exit(EXIT_FAILED);
        break;
      default:
        return;
    }
    this.#tell();
  }

  #gone(): void {
    this.#hasGone = true;
    this.#clients = 0;
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#wake) wake();
  }

  #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!isDone()) return;
        this.#wake = this.#wake.filter((each) => each !== wake);
        resolve();
      };
      this.#wake.push(wake);
    });
  }
}

function say(message: FromTaker, said: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, {}, said);
  else said();
}

/** What goes to standard error before the end goes to the old process as well, which tells who has asked for it. */
function passOnWords(): void {
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    say({ type: 'words', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() });
    return write(chunk, ...rest);
  }) as typeof process.stderr.write;
}

async function firstMessage(): Promise<HandoverOffer> {
  const [first] = takeFirstMessages();
  const offer = readFromGiver(first ?? (await nextMessage()));
  if (offer?.type !== 'offer') throw new Error('what was handed over is not understood');
  return offer;
}

function nextMessage(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('nothing was handed over')), OFFER_MS);
    process.once('message', (message) => {
      clearTimeout(late);
      resolve(message);
    });
  });
}
