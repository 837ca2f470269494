/** What a session needs of its client's side. */

import type { TlsDescription } from '../io/tls-client-stream.ts';
import type { ClientSilence } from './client-silence.ts';
import type { ClientTransport } from './client-transport.ts';

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

export function sessionTransportOf(
  socket: ClientTransport,
  silence: ClientSilence,
  { resumeInput, close }: Pick<SessionTransport, 'resumeInput' | 'close'>,
): SessionTransport {
  return {
    write: (bytes) => socket.write(bytes),
    get unsentBytes() {
      return socket.unsentBytes;
    },
    resumeInput,
    idles: () => {
      silence.lastActivity = performance.now();
      silence.armForCommand();
    },
    close,
    host: socket.remoteEndpoint,
    get localAddress() {
      return socket.localAddress;
    },
    get localPort() {
      return socket.localPort;
    },
    describeTls: () => socket.describeTls(),
    get lastActivity() {
      return silence.lastActivity;
    },
  };
}
