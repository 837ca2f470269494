/** What a session needs of its client's side. */

import type { TlsDescription } from '../io/tls-client-stream.ts';

export interface SessionTransport {
  write(bytes: Buffer): boolean;
  readonly unsentBytes: number;
  /** The session takes commands again. */
  resumeInput(): void;
  /** The session is idle from now on, for no longer than it has allowed itself by `wait_timeout`. */
  idles(): void;
  close(reason: string): void;
  /** `address:port`, as servers show it. */
  readonly host: string;
  /** Of Sluice's own that the client has connected to; '' and 0 for a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  /** null without TLS. */
  describeTls(): TlsDescription | null;
  /** When the client last sent something, by `performance.now()`. */
  readonly lastActivity: number;
}
