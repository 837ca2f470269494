/** An admin port over a proxy that is made of values, and sockets that say to it what no client would. */

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import {
  Capability,
  ClientHandshake,
  decodeErr,
  type ErrPacket,
  PacketReader,
} from '../../../protocol/index.ts';
import { createWorkerLogger, type LogRecord } from '../../../src/common/logger.ts';
import {
  type AdminServer,
  type AdminServerOptions,
  startAdminServer,
} from '../../../src/control/admin/admin-server.ts';
import { virtualRows } from '../../../src/control/admin/virtual-tables/all-virtual-tables.ts';
import { SqliteStore } from '../../../src/control/store/sqlite-store.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FakeAdminState } from '../../unit/control/admin/fake-admin-state.ts';
import { RecordedAudit } from '../../unit/control/admin/recorded-audit.ts';

export const PASSWORD = 'sécret';
export const CREDENTIALS = { username: 'admin', password: { kind: 'plain', value: PASSWORD } } as const;

export class AdminUnderTest {
  readonly state = new FakeAdminState();
  readonly log: LogRecord[] = [];
  readonly audit = new RecordedAudit();
  #server: AdminServer | null = null;
  readonly #store: SqliteStore;

  private constructor(dataDir: string | null) {
    this.#store = new SqliteStore({
      dataDir,
      logger: createWorkerLogger('debug', (record) => this.log.push(record)),
      seed: () => [],
      fill: (table) => virtualRows(table, this.state),
    });
    this.state.store = this.#store;
  }

  /** @param dataDir for the layer `disk` */
  static async start(
    options: Partial<AdminServerOptions> = {},
    dataDir: string | null = null,
  ): Promise<AdminUnderTest> {
    const admin = new AdminUnderTest(dataDir);
    admin.#server = await startAdminServer({
      host: '127.0.0.1',
      port: 0,
      users: [{ username: 'admin', password: PASSWORD }],
      version: '0.1.0',
      logger: createWorkerLogger('debug', (record) => admin.log.push(record)),
      state: admin.state,
      audit: admin.audit,
      ...options,
    });
    return admin;
  }

  get server(): AdminServer {
    return this.#server!;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.server.port };
  }

  get errors(): LogRecord[] {
    return this.log.filter(({ level }) => level === 'error' || level === 'fatal');
  }

  async stop(): Promise<void> {
    await this.server.close();
    await this.#store.close();
  }
}

/** Bytes as they are; what comes back as packets. */
export class RawClient {
  readonly socket: Socket;
  readonly packets: { readonly payload: Buffer; readonly sequenceId: number }[] = [];
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    const reader = new PacketReader((payload, sequenceId) => {
      this.packets.push({ payload: Buffer.from(payload), sequenceId });
    }, 1 << 26);
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // A reset is as good an end as any.
    socket.on('error', () => socket.destroy());
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = createConnection({ host: '127.0.0.1', port });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Logged in, without DEPRECATE_EOF; the packets of the login are gone. `behind` follows it in the same write. */
  static async login(admin: AdminUnderTest, behind: Buffer = Buffer.alloc(0)): Promise<RawClient> {
    const client = await RawClient.connect(admin.server.port);
    const handshake = new ClientHandshake({
      ...CREDENTIALS,
      database: null,
      capabilities:
        Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_SECURE_CONNECTION | Capability.CLIENT_PLUGIN_AUTH,
      collationId: 45,
      connectAttributes: {},
      maxPacketBytes: 1 << 24,
      allowRsa: false,
      secureTransport: false,
    });
    for (;;) {
      const { payload, sequenceId } = await waitUntil('the next packet', () => client.packets.shift());
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'done') return client;
      if (step.kind !== 'send') throw new Error(`login: ${step.kind}`);
      client.socket.write(Buffer.concat([step.packets, behind]));
    }
  }

  get lastError(): ErrPacket | null {
    const last = this.packets.at(-1);
    return last === undefined || last.payload[0] !== 0xff ? null : decodeErr(last.payload);
  }
}
