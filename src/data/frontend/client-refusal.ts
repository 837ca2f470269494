/** The last word to a client: what it has done wrong, or why it cannot stay; then its connection ends. */

import {
  Capability,
  frameErr,
  PacketOutOfOrderError,
  PacketTooLargeError,
  ProtocolError,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { WorkerContext } from '../worker-context.ts';
import { BROKEN } from './client-login.ts';
import type { ClientTransport } from './client-transport.ts';
import type { Session } from './session.ts';

export interface RefusedClient {
  readonly session: Session | null;
  readonly isClosed: boolean;
  end(reason: string): void;
}

export class ClientRefusal {
  readonly #client: RefusedClient;
  readonly #socket: ClientTransport;
  readonly #context: WorkerContext;

  constructor(client: RefusedClient, socket: ClientTransport, context: WorkerContext) {
    this.#client = client;
    this.#socket = socket;
    this.#context = context;
  }

  /** Says why, and closes. */
  refuse(
    error: ClientError,
    sequenceId: number,
    message = 'client is disconnected',
    reason = error.message,
  ): void {
    if (this.#client.isClosed) return;
    const { session } = this.#client;
    const capabilities = session?.clientCapabilities ?? Capability.CLIENT_PROTOCOL_41;
    this.#context.counters.add(WorkerCounter.errorsSent);
    const { remoteAddress: client } = this.#socket;
    const user = session?.username;
    const { errno } = error;
    this.#context.log(message === BROKEN ? 'warn' : 'info', message, { client, user, errno, reason });
    this.#socket.write(frameErr(error, capabilities, sequenceId));
    this.#client.end(error.message);
  }

  packetTooLarge(sequenceId: number): void {
    this.refuse(clientError('PROXY_PACKET_TOO_LARGE', {}), (sequenceId + 1) & 0xff);
  }

  outOfOrder(sequenceId: number, due: number): void {
    const reason = `sequence id ${sequenceId} where ${due} was due`;
    this.refuse(clientError('PROXY_PACKET_OUT_OF_ORDER', {}), 1, BROKEN, reason);
  }

  /** What it has sent led to this. */
  broken(error: Error): void {
    this.#context.counters.add(WorkerCounter.protocolErrors);
    // Not the client's fault, then: a bug, which must leave a trace.
    if (!(error instanceof ProtocolError))
      this.#context.log('error', 'internal error', { stack: error.stack });
    this.refuse(clientError('PROXY_MALFORMED_PACKET', {}), 1, BROKEN, error.message);
  }

  /** Compressed frames that lie, or a PROXY header that is none. */
  transportBroken(error: Error): void {
    if (this.#client.isClosed) return;
    this.#context.counters.add(WorkerCounter.protocolErrors);
    let told: ClientError;
    if (this.#client.session === null) told = clientError('PROXY_BAD_HANDSHAKE', {});
    else if (error instanceof PacketTooLargeError) told = clientError('PROXY_PACKET_TOO_LARGE', {});
    else if (error instanceof PacketOutOfOrderError) told = clientError('PROXY_PACKET_OUT_OF_ORDER', {});
    else told = clientError('PROXY_UNCOMPRESS', {});
    this.refuse(told, 1, BROKEN, error.message);
  }

  untrustedHeader(): void {
    this.#context.counters.add(WorkerCounter.protocolErrors);
    const host = this.#socket.remoteAddress === '' ? 'localhost' : this.#socket.remoteAddress;
    this.refuse(clientError('PROXY_HEADER_DENIED', { host }), 1, BROKEN);
  }
}
