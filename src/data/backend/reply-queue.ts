/** The replies that a connection owes, in the order they were asked for, and the answer that is coming in. */

import { ResponseTracker } from '../../../protocol/index.ts';
import { discardSink, type ExpectedReply, type ReplyOwner } from './expected-reply.ts';

export class ReplyQueue {
  readonly #waiting: ExpectedReply[] = [];
  /** The one whose answer is coming in. */
  #active: ExpectedReply | null = null;
  #tracker: ResponseTracker | null = null;

  /** The login is over: from now on there are answers. @param capabilities of the connection */
  begin(capabilities: number): void {
    this.#tracker = new ResponseTracker(capabilities, discardSink);
  }

  add(reply: ExpectedReply): void {
    this.#waiting.push(reply);
  }

  /** Replies not yet complete. */
  get owed(): number {
    return this.#waiting.length + (this.#active === null ? 0 : 1);
  }

  /** Nothing but the answer that is coming in, if any, is to come. */
  get isLast(): boolean {
    return this.#waiting.length === 0;
  }

  /** All that is owed can be asked elsewhere: reads, of whose answers nothing has come. */
  get owesOnlyReads(): boolean {
    if (this.#active !== null || this.#waiting.length === 0) return false;
    return this.#waiting.every(({ repeatable, isOwn }) => repeatable || isOwn === true);
  }

  // ---- bytes

  /** There are bytes: they belong to the next reply. @returns false if nobody expects any */
  expectsBytes(): boolean {
    if (this.#active !== null) return true;
    const reply = this.#waiting.shift();
    if (reply === undefined) return false;
    this.#active = reply;
    const { shape, sink, clientCapabilities, statusBefore, firstSequence, clientSequence, parts } = reply;
    this.#tracker!.begin(
      shape,
      sink,
      clientCapabilities,
      statusBefore,
      firstSequence,
      parts,
      clientSequence,
      reply.columnsTold,
    );
    return true;
  }

  /** See `ResponseTracker.advance`; only after `expectsBytes` has said so. */
  advance(buffer: Buffer, start: number, end: number, floor: number): number {
    return this.#tracker!.advance(buffer, start, end, floor);
  }

  /** @returns the reply whose last byte has come, null while there is more of it; `tracker` knows what it was */
  takeComplete(): ExpectedReply | null {
    const reply = this.#active;
    if (!this.#tracker!.complete) return null;
    this.#active = null;
    return reply;
  }

  /** Of the answer that has come last, or is coming in; null before the login is over. */
  get tracker(): ResponseTracker | null {
    return this.#tracker;
  }

  // ---- owners that leave

  /** The owner of replies has gone: what is still to come for it is thrown away. Returns how many there were. */
  abandon(owner: ReplyOwner, successor: ReplyOwner): number {
    let count = 0;
    for (const reply of this.#active === null ? this.#waiting : [this.#active, ...this.#waiting]) {
      if (reply.owner !== owner) continue;
      reply.owner = successor;
      reply.sink = discardSink;
      count++;
    }
    if (this.#active?.owner === successor) this.#tracker?.redirect(discardSink);
    return count;
  }

  /**
   * A slow reader holds up the connection: answers behind its own that may be asked elsewhere are handed back to
   * their owners, and thrown away when they come.
   */
  displaceFollowers(successor: ReplyOwner): ReplyOwner[] {
    const displaced: ReplyOwner[] = [];
    for (const reply of this.#waiting) {
      if (!reply.repeatable) continue;
      displaced.push(reply.owner);
      reply.owner = successor;
      reply.sink = discardSink;
    }
    return displaced;
  }

  /** The connection has gone. @returns those who still wait, in their order, and whether the first one's answer had begun */
  takeAll(): { readonly replies: readonly ExpectedReply[]; readonly isFirstActive: boolean } {
    const active = this.#active;
    const waiting = this.#waiting.splice(0);
    this.#active = null;
    return { replies: active === null ? waiting : [active, ...waiting], isFirstActive: active !== null };
  }

  // ---- of the answer that is coming in

  /** The client's file has been sent; the answer to it follows. */
  infileSent(): void {
    this.#tracker?.resumeAfterInfile();
  }

  get awaitsInfile(): boolean {
    return this.#tracker?.awaitsInfile ?? false;
  }

  /** See `ResponseTracker.infileSequence`. */
  get infileSequence(): number {
    return this.#tracker?.infileSequence ?? 0;
  }

  /** By how much the client's sequence ids of the current answer are ahead of the server's. */
  get sequenceShift(): number {
    return this.#tracker?.sequenceShift ?? 0;
  }

  /** Where an ERR packet may be put into the answer that was cut off: null in the middle of a packet. */
  get nextClientSequence(): number | null {
    return this.#tracker?.nextClientSequence ?? null;
  }
}
