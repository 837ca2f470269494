/** What an admin session waits for, each with a time of its own; it waits for one thing at a time, or for none. */

import type { AdminLimits } from './admin-limits.ts';

/** `login`: to be finished; `packet`: its rest; `idle`: a command; `write`: to be read; `linger`: to be closed. */
export type Awaited = 'login' | 'packet' | 'idle' | 'write' | 'linger';

/** From the first byte of a packet to its last. */
const PACKET_TIMEOUT_MS = 30_000;
/** For the client to read the last packet; a socket closed over unread bytes would take it away. */
const LINGER_MS = 1000;

export class SessionWatch {
  readonly #timeoutsMs: Readonly<Record<Awaited, number>>;
  readonly #timedOut: (awaited: Awaited) => void;
  #current: { readonly awaited: Awaited; readonly timer: NodeJS.Timeout } | null = null;

  constructor(limits: AdminLimits, timedOut: (awaited: Awaited) => void) {
    this.#timeoutsMs = {
      login: limits.loginTimeoutMs,
      packet: Math.min(PACKET_TIMEOUT_MS, limits.idleTimeoutMs),
      idle: limits.idleTimeoutMs,
      write: limits.writeTimeoutMs,
      linger: LINGER_MS,
    };
    this.#timedOut = timedOut;
  }

  await(awaited: Awaited): void {
    // The time of a packet counts from its first byte, that of a login from its first packet.
    const isOneSpan = awaited === 'packet' || awaited === 'login';
    if (isOneSpan && this.#current?.awaited === awaited) return;
    this.stop();
    const timer = setTimeout(() => this.#timedOut(awaited), this.#timeoutsMs[awaited]);
    this.#current = { awaited, timer };
  }

  stop(): void {
    clearTimeout(this.#current?.timer);
    this.#current = null;
  }
}
