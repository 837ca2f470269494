/**
 * memcached, as a server of the second level. A client of its own: those that are kept up hand values out as text, which
 * results are not, or keep no limit on what waits for a server that does not answer.
 */

import { connect, type Socket } from 'node:net';
import { type MemcachedAnswer, MemcachedAnswers } from './memcached-answers.ts';
import type { Done, SharedStore, SharedStoreHandlers } from './shared-store.ts';

const CONNECT_TIMEOUT_MS = 2000;
/** A longer time would be taken for a moment. */
const MAX_TTL_SECONDS = 30 * 24 * 3600;

type Waiting = (error: Error | null, answer: MemcachedAnswer | null) => void;

export class MemcachedStore implements SharedStore {
  readonly #host: string;
  readonly #port: number;
  readonly #handlers: SharedStoreHandlers;
  readonly #answers: MemcachedAnswers;
  /** In the order of their commands. */
  readonly #waiting: Waiting[] = [];
  #socket: Socket | null = null;
  #isConnected = false;
  #isClosed = false;

  /** @param maxValueBytes a value that is larger is none of ours. */
  constructor(host: string, port: number, maxValueBytes: number, handlers: SharedStoreHandlers) {
    this.#host = host;
    this.#port = port;
    this.#handlers = handlers;
    this.#answers = new MemcachedAnswers(maxValueBytes);
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
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

  /** Its clock counts seconds: it may go on for one more. */
  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void {
    const seconds = Math.min(MAX_TTL_SECONDS, Math.max(1, Math.ceil(ttlMs / 1000)));
    this.#store('set', key, value, seconds, done);
  }

  add(key: string, value: Buffer, done: Done<void>): void {
    this.#store('add', key, value, 0, done);
  }

  put(key: string, value: Buffer, done: Done<void>): void {
    this.#store('set', key, value, 0, done);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #store(verb: 'set' | 'add', key: string, value: Buffer, seconds: number, done: Done<void>): void {
    this.#send([`${verb} ${key} 0 ${seconds} ${value.length}\r\n`, value, '\r\n'], (error, answer) => {
      const isDone = answer?.line === 'STORED' || answer?.line === 'NOT_STORED';
      done(isDone ? null : (error ?? refusal(answer)));
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

function refusal(answer: MemcachedAnswer | null): Error {
  return new Error(`memcached answers ${answer?.line.slice(0, 100) ?? 'nothing'}`);
}
