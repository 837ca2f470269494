/**
 * memcached, as a server of the second level. A client of its own: those that are kept up hand values out as text, which
 * results are not, or keep no limit on what waits for a server that does not answer.
 */

import { connect, type Socket } from 'node:net';
import { INCARNATION_BYTES } from './flush-record.ts';
import { type MemcachedAnswer, MemcachedAnswers } from './memcached-answers.ts';
import type { SocketTarget } from './shared-address.ts';
import type { Done, SharedStore, SharedStoreHandlers } from './shared-store.ts';

const CONNECT_TIMEOUT_MS = 2000;
/** Whatever it may lose, what was flushed is lost with it. */
const ONE_TIME = Buffer.alloc(INCARNATION_BYTES);
/** Of one line. */
const MAX_KEYS = 16;
/** A longer time would be taken for a moment. */
const MAX_TTL_SECONDS = 30 * 24 * 3600;

type Waiting = (error: Error | null, answer: MemcachedAnswer | null) => void;

export class MemcachedStore implements SharedStore {
  readonly incarnation = ONE_TIME;
  readonly #target: SocketTarget;
  readonly #handlers: SharedStoreHandlers;
  readonly #answers: MemcachedAnswers;
  /** In the order of their commands. */
  readonly #waiting: Waiting[] = [];
  #socket: Socket | null = null;
  #isConnected = false;
  #isClosed = false;

  /** @param maxValueBytes a value that is larger is none of ours. */
  constructor(target: SocketTarget, maxValueBytes: number, handlers: SharedStoreHandlers) {
    this.#target = target;
    this.#handlers = handlers;
    this.#answers = new MemcachedAnswers(maxValueBytes);
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...this.#target, noDelay: true });
      this.#socket = socket;
      const limit = setTimeout(
        () => socket.destroy(new Error('connecting took too long')),
        CONNECT_TIMEOUT_MS,
      );
      socket.once('connect', () => {
        clearTimeout(limit);
        this.#isConnected = true;
        resolve();
      });
      let last: Error | null = null;
      socket.on('error', (error) => {
        last = error;
      });
      socket.on('data', (chunk) => this.#received(chunk));
      socket.on('close', () => {
        clearTimeout(limit);
        const error = last ?? new Error('the connection was closed');
        this.#ended(error);
        reject(error);
      });
    });
  }

  readPair(first: string, second: string, done: Done<readonly [Buffer | null, Buffer | null]>): void {
    this.#send([`get ${first} ${second}\r\n`], (error, answer) => {
      if (answer === null || answer.line !== 'END') {
        done(error ?? refusal(answer), [null, null]);
        return;
      }
      const of = (key: string): Buffer | null => answer.values.find((one) => one.key === key)?.bytes ?? null;
      done(null, [of(first), of(second)]);
    });
  }

  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void {
    this.#send(storing('set', key, value, ttlMs), (error, answer) => {
      done(answer?.line === 'STORED' ? null : (error ?? refusal(answer)));
    });
  }

  async readAll(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const found = new Map<string, Buffer>();
    for (let at = 0; at < keys.length; at += MAX_KEYS) {
      const { values } = await this.#ask(`get ${keys.slice(at, at + MAX_KEYS).join(' ')}\r\n`, ['END']);
      for (const { key, bytes } of values) found.set(key, bytes);
    }
    return keys.map((key) => found.get(key) ?? null);
  }

  async change(key: string, make: (old: Buffer | null) => Buffer | null): Promise<boolean> {
    const { values } = await this.#ask(`gets ${key}\r\n`, ['END']);
    const old = values[0];
    const value = make(old?.bytes ?? null);
    if (value === null) return true;
    const order =
      old === undefined ? storing('add', key, value, 0) : storing('cas', key, value, 0, old.version);
    const { line } = await this.#ask(order, ['STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND']);
    return line === 'STORED';
  }

  async put(key: string, value: Buffer, ttlMs: number): Promise<void> {
    await this.#ask(storing('set', key, value, ttlMs), ['STORED']);
  }

  async renew(key: string, ttlMs: number): Promise<boolean> {
    const order = `touch ${key} ${secondsOf(ttlMs)}\r\n`;
    return (await this.#ask(order, ['TOUCHED', 'NOT_FOUND'])).line === 'TOUCHED';
  }

  async remove(key: string): Promise<void> {
    await this.#ask(`delete ${key}\r\n`, ['DELETED', 'NOT_FOUND']);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  /** @param expected lines that are answers to it. */
  #ask(order: string | readonly (string | Buffer)[], expected: readonly string[]): Promise<MemcachedAnswer> {
    return new Promise((resolve, reject) => {
      this.#send(typeof order === 'string' ? [order] : order, (error, answer) => {
        if (answer !== null && expected.includes(answer.line)) resolve(answer);
        else reject(error ?? refusal(answer));
      });
    });
  }

  #send(parts: readonly (string | Buffer)[], waiting: Waiting): void {
    const socket = this.#socket;
    if (socket === null || !this.#isConnected) {
      setImmediate(() => waiting(new Error('there is no connection'), null));
      return;
    }
    this.#waiting.push(waiting);
    socket.cork();
    for (const part of parts) socket.write(part, 'latin1');
    socket.uncork();
  }

  #received(chunk: Buffer): void {
    try {
      for (const answer of this.#answers.push(chunk)) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) throw new Error('an answer came that nobody has asked for');
        waiting(null, answer);
      }
    } catch (error) {
      this.#socket?.destroy(error as Error);
    }
  }

  #ended(error: Error): void {
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    for (const waiting of this.#waiting.splice(0)) waiting(error, null);
    if (wasConnected && !this.#isClosed) this.#handlers.lost(error);
  }
}

/** @param ttlMs 0: for ever. @param version of what is there, for `cas`. */
function storing(
  verb: 'set' | 'add' | 'cas',
  key: string,
  value: Buffer,
  ttlMs: number,
  version = '',
): readonly (string | Buffer)[] {
  const tail = verb === 'cas' ? ` ${version}` : '';
  return [`${verb} ${key} 0 ${secondsOf(ttlMs)} ${value.length}${tail}\r\n`, value, '\r\n'];
}

/** Its clock counts seconds: it may go on for one more. */
function secondsOf(ttlMs: number): number {
  return Math.min(MAX_TTL_SECONDS, Math.ceil(ttlMs / 1000));
}

function refusal(answer: MemcachedAnswer | null): Error {
  return new Error(`memcached answers ${answer?.line.slice(0, 100) ?? 'nothing'}`);
}
