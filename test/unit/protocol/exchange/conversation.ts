/** The two handshake machines talk to each other in memory; every packet is written down. */

import { generateKeyPairSync } from 'node:crypto';
import {
  type AcceptedClient,
  type Account,
  type CachedSecret,
  Capability,
  ClientHandshake,
  type ClientHandshakeOptions,
  createNonce,
  frameOk,
  type HandshakeStep,
  PacketReader,
  type RsaKeyPair,
  ServerHandshake,
  type ServerHandshakeOptions,
  type ServerHandshakeStep,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../../protocol/index.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const rsaKeyPair: RsaKeyPair = {
  publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  privateKey: keys.privateKey,
};

export const CAPABILITIES = withoutCapabilities(
  uniteCapabilities(...Object.values(Capability)),
  uniteCapabilities(
    Capability.CLIENT_SSL,
    Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM,
    Capability.CLIENT_COMPRESS,
  ),
);

export interface Conversation {
  readonly client: ClientHandshake;
  readonly outcome: HandshakeStep;
  readonly accepted: AcceptedClient | null;
  /** Packets of the client, the response included, an SSLRequest too. */
  readonly roundTrips: number;
  /** What both said: who, sequence id, and the first byte of the server's payloads, the length of the client's. */
  readonly log: readonly string[];
}

export function serverOptions(
  overrides: Partial<ServerHandshakeOptions> = {},
  hasRsaKey = true,
): ServerHandshakeOptions {
  return {
    serverVersion: '8.0.40',
    threadId: 7,
    capabilities: CAPABILITIES,
    collationId: 45,
    statusFlags: 2,
    defaultPlugin: 'mysql_native_password',
    nonce: createNonce(),
    secureTransport: false,
    ...(hasRsaKey ? { rsaKeyPair } : {}),
    lookup: (): Account | null => null,
    secretCache: new Map<string, CachedSecret>(),
    host: 'app.example',
    ...overrides,
  };
}

export function clientOptions(overrides: Partial<ClientHandshakeOptions> = {}): ClientHandshakeOptions {
  return {
    username: 'app',
    password: { kind: 'plain', value: 'secret' },
    database: 'shop',
    capabilities: CAPABILITIES,
    collationId: 45,
    connectAttributes: { program_name: 'test' },
    maxPacketBytes: 2 ** 24,
    allowRsa: true,
    secureTransport: false,
    ...overrides,
  };
}

/** Runs until the client is done, fails, or the server has nothing more to say. */
export function converse(
  server: Partial<ServerHandshakeOptions> = {},
  client: Partial<ClientHandshakeOptions> = {},
  hasRsaKey = true,
): Conversation {
  const serverSide = new ServerHandshake(serverOptions(server, hasRsaKey));
  const clientSide = new ClientHandshake(clientOptions(client));
  const log: string[] = [];
  let accepted: AcceptedClient | null = null;
  let roundTrips = 0;
  let outcome: HandshakeStep = { kind: 'wait' };
  let toClient = serverSide.greeting();
  while (toClient.length > 0) {
    outcome = lastStep('server', toClient, log, (payload, id) => clientSide.receive(payload, id));
    toClient = Buffer.alloc(0);
    let packets = outcome.kind === 'send' || outcome.kind === 'startTls' ? outcome.packets : null;
    while (packets !== null) {
      roundTrips += 1;
      const step: ServerHandshakeStep = lastStep('client', packets, log, (payload, id) =>
        serverSide.receive(payload, id),
      );
      packets = null;
      if (step.kind === 'startTls') {
        serverSide.tlsEstablished();
        outcome = clientSide.tlsEstablished();
        if (outcome.kind === 'send') packets = outcome.packets;
      } else if (step.kind === 'accepted') {
        accepted = step;
        toClient = Buffer.concat([
          step.packets,
          frameOk({ statusFlags: 2 }, step.capabilities, step.nextSequenceId),
        ]);
      } else {
        if (step.kind === 'pending') throw new Error('Nothing is looked up here');
        toClient = step.packets;
      }
    }
  }
  return { client: clientSide, outcome, accepted, roundTrips, log };
}

function lastStep<Step>(
  who: string,
  packets: Buffer,
  log: string[],
  receive: (payload: Buffer, sequenceId: number) => Step,
): Step {
  let step: Step | null = null;
  const reader = new PacketReader((payload, sequenceId) => {
    log.push(
      `${who} ${sequenceId} ${payload.length === 0 || who === 'client' ? `${payload.length} bytes` : payload[0]!.toString(16)}`,
    );
    step = receive(payload, sequenceId);
    // A received chunk is gone when the next one comes: nothing may still look into it.
    payload.fill(0xee);
  }, 2 ** 24);
  reader.push(Buffer.from(packets));
  if (step === null) throw new Error('No whole packet');
  return step;
}
