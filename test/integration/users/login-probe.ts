/** One login, and what became of it; from any loopback address, with any capabilities. */

import { connect } from 'node:net';
import {
  Capability,
  ClientHandshake,
  Command,
  decodeErr,
  ERR_HEADER,
  framePacket,
  PacketReader,
} from '../../../protocol/index.ts';
import { MODERN_CAPABILITIES } from '../../support/raw-client.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
  /** Where the client comes from; 127.0.0.1 unless told. */
  readonly from?: string;
  readonly database?: string;
  readonly knowsExpiry?: boolean;
  /** Sent once logged in. */
  readonly query?: string;
}

export interface Target {
  readonly port: number;
  readonly socketPath?: string;
}

const UTF8MB4_GENERAL_CI = 45;
const TIMEOUT_MS = 60_000;

/**
 * `ok`, or the error as `errno sqlState message`, or `closed` where the connection ended without a word; with a query
 * the same of its answer behind it.
 */
export function logIn(target: Target, login: Login): Promise<string> {
  const where =
    target.socketPath === undefined
      ? { host: '127.0.0.1', port: target.port, localAddress: login.from ?? '127.0.0.1' }
      : { path: target.socketPath };
  const socket = connect(where);
  const words: string[] = [];
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(words.join(', '));
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${login.user} at port ${target.port}: no answer after "${words.join(', ')}"`));
    }, TIMEOUT_MS);
    const handshake = new ClientHandshake({
      username: login.user,
      password: login.password === '' ? { kind: 'none' } : { kind: 'plain', value: login.password },
      database: login.database ?? null,
      capabilities:
        MODERN_CAPABILITIES |
        (login.knowsExpiry === true ? Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS : 0),
      collationId: UTF8MB4_GENERAL_CI,
      connectAttributes: {},
      maxPacketBytes: 1 << 24,
      allowRsa: true,
      secureTransport: false,
    });
    let loggedIn = false;
    const reader = new PacketReader((payload, sequenceId) => {
      if (loggedIn) {
        words.push(answerOf(payload));
        done();
        return;
      }
      // Before the greeting servers know no SQLSTATE.
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'send') socket.write(step.packets);
      else if (step.kind === 'failed') {
        words.push(`${step.errno} ${step.sqlState} ${step.message}`);
        done();
      } else if (step.kind === 'done') {
        loggedIn = true;
        words.push('ok');
        if (login.query === undefined) done();
        else
          socket.write(
            framePacket(Buffer.concat([Buffer.from([Command.COM_QUERY]), Buffer.from(login.query)]), 0),
          );
      }
    }, 1 << 24);
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', (error) => words.push(error.message));
    socket.on('close', () => {
      if (words.length === 0 || loggedIn) words.push('closed');
      done();
    });
  });
}

function answerOf(payload: Buffer): string {
  if (payload[0] !== ERR_HEADER) return 'answered';
  const { errno, sqlState, message } = decodeErr(payload);
  return `${errno} ${sqlState} ${message}`;
}
