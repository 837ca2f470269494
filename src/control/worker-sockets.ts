/** The listening sockets of the workers: those that they inherit, and those that another process is to get. */

import type { ListeningSocket } from '../common/listening-socket.ts';

/** A worker that answers nothing for so long is not well. */
const ANSWER_MS = 5000;

interface Question {
  readonly missing: Set<number>;
  readonly sockets: ListeningSocket[];
  resolve(): void;
}

export class WorkerSockets {
  /** By worker. Theirs until they have opened them: a worker that is started again finds them as they were. */
  readonly #inherited: ListeningSocket[][];
  #question: Question | null = null;
  /** Who lets clients in. */
  readonly #accepting = new Set<number>();
  #failures: string[] = [];
  #onAccepting: (() => void) | null = null;

  /** @param paths of the Unix sockets: the n-th is the n-th worker's */
  constructor(workers: number, inherited: readonly ListeningSocket[], paths: readonly string[]) {
    this.#inherited = Array.from({ length: workers }, () => []);
    const next = new Map<string, number>();
    for (const socket of inherited) {
      const { host, port, path } = socket;
      const key = `${host} ${port}`;
      const place = path === null ? (next.get(key) ?? 0) : paths.indexOf(path);
      if (path === null) next.set(key, place + 1);
      this.#inherited[place % workers]?.push(socket);
    }
  }

  toOpen(worker: number): readonly ListeningSocket[] {
    return this.#inherited[worker] ?? [];
  }

  /** @throws Error if a worker does not tell. */
  async ask(workers: readonly number[], send: (worker: number) => void): Promise<readonly ListeningSocket[]> {
    const missing = new Set(workers);
    const sockets: ListeningSocket[] = [];
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`worker ${[...missing].join(', ')} does not say where it listens`)),
        ANSWER_MS,
      );
      this.#question = {
        missing,
        sockets,
        resolve: () => {
          clearTimeout(late);
          resolve();
        },
      };
      for (const worker of workers) send(worker);
      if (missing.size === 0) this.#question.resolve();
    });
    return sockets;
  }

  told(worker: number, sockets: readonly ListeningSocket[]): void {
    const question = this.#question;
    if (question?.missing.delete(worker) !== true) return;
    question.sockets.push(...sockets);
    if (question.missing.size === 0) question.resolve();
  }

  accepting(worker: number, failures: readonly string[]): void {
    this.#inherited[worker] = [];
    this.#accepting.add(worker);
    this.#failures.push(...failures);
    this.#onAccepting?.();
  }

  ended(worker: number): void {
    this.#accepting.delete(worker);
  }

  /** Resolves when all of them let clients in. @throws Error if one does not, or not in time. */
  async untilAccepting(workers: readonly number[], timeoutMs: number): Promise<void> {
    const isDone = () => workers.every((worker) => this.#accepting.has(worker)) || this.#failures.length > 0;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('not all workers let clients in')), timeoutMs);
      this.#onAccepting = () => {
        if (!isDone()) return;
        clearTimeout(late);
        this.#onAccepting = null;
        resolve();
      };
      this.#onAccepting();
    });
    if (this.#failures.length > 0) throw new Error(`cannot listen: ${this.#failures.join('; ')}`);
  }
}
