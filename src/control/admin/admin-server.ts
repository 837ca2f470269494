/**
 * The admin port: operators and their tools connect with any MySQL client. It runs on the main thread, reads values
 * and gives a few orders; clients of the proxy are served by other threads and never wait for it.
 */

import { createPrivateKey } from 'node:crypto';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { exposedDefaultUsers } from '../../../config/default-password.ts';
import type { CachedSecret, RsaKeyPair } from '../../../protocol/index.ts';
import { type ListeningSocket, listeningSocket, SocketUse } from '../../common/listening-socket.ts';
import type { Logger } from '../../common/logger.ts';
import type { ClientTls } from '../../common/snapshot.ts';
import { listenOnPath, removeSocketPath } from '../../common/socket-path.ts';
import type { AuditTrail } from '../logs/audit-log.ts';
import { type AdminLimits, DEFAULT_ADMIN_LIMITS } from './admin-limits.ts';
import type { AdminAccount } from './admin-login.ts';
import type { AdminSession } from './admin-session.ts';
import type { AdminState } from './admin-state.ts';
import { type AdminTls, adminTlsOf } from './admin-tls.ts';
import { AdminRole } from './commands/command.ts';

export interface AdminUser {
  readonly username: string;
  /** Plain text, or the hash that a MySQL server stores. */
  readonly password: string;
  /** `admin` unless told. */
  readonly role?: AdminRole;
}

export interface AdminServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** More to listen on. */
  readonly more?: readonly { readonly host: string; readonly port: number }[];
  /** Paths of Unix sockets to listen on as well. */
  readonly sockets?: readonly string[];
  /** Their permissions. */
  readonly socketMode?: number;
  /** Of the process before this one: opened as they are. */
  readonly inherited?: readonly ListeningSocket[];
  /** TLS is offered if it is there. */
  readonly tls?: ClientTls | null;
  readonly users: readonly AdminUser[];
  /** Of Sluice, e.g. `0.1.0`. */
  readonly version: string;
  readonly logger: Logger;
  readonly state: AdminState;
  /** Before the first client is greeted: what commands need beside the state. */
  readonly prepare?: () => Promise<unknown>;
  readonly audit: AuditTrail;
  /** In PEM, for caching_sha2_password without TLS where only a hash of the password is known. */
  readonly rsaKey?: { readonly privateKey: string; readonly publicKey: string };
  readonly limits?: Partial<AdminLimits>;
}

export interface AdminServer {
  readonly host: string;
  readonly port: number;
  /** Who may log in from now on; sessions that exist go on. @throws like `startAdminServer` */
  updateUsers(users: readonly AdminUser[]): void;
  /** For who connects from now on. */
  updateTls(tls: ClientTls | null): void;
  /** For another process. */
  sockets(): readonly ListeningSocket[];
  /** Another process has the sockets; sessions go on. */
  handOver(): void;
  /** Resolves when every session is closed. */
  close(): Promise<void>;
}

/** In the greeting; drivers refuse servers older than 4.1, whatever they think of 2.7.1. */
const GREETING_VERSION = '5.7.44-sluice';

const DEFAULT_SOCKET_MODE = 0o770;

interface Opened {
  readonly server: Server;
  readonly host: string;
  /** Of a Unix socket. */
  readonly path: string | null;
  /** Of its name in the file system; 0 for TCP, and for one that is inherited: its name is not this one's to remove. */
  readonly inode: number;
}

class AdminListener implements AdminServer {
  readonly #options: AdminServerOptions;
  readonly #limits: AdminLimits;
  /** The first one is the one whose address is told. */
  #opened: Opened[] = [];
  readonly #rsaKeyPair: RsaKeyPair | null;
  readonly #startedAtMs = performance.now();
  /** Keys hold the stored password, so that a changed one misses. */
  #secretCache = new Map<string, CachedSecret>();
  #accounts: ReadonlyMap<string, AdminAccount> = new Map();
  /** Loaded when somebody comes: with the commands and their SQL it is megabytes. */
  #Session: typeof AdminSession | null = null;
  /** Who came before that. */
  readonly #arriving = new Set<Socket>();
  readonly #logins = new Set<AdminSession>();
  readonly #sessions = new Set<AdminSession>();
  #connectionId = 0;
  #address: AddressInfo | null = null;
  #tls: AdminTls | null;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ADMIN_LIMITS, ...options.limits };
    const { rsaKey } = options;
    this.#rsaKeyPair =
      rsaKey === undefined
        ? null
        : { publicKeyPem: rsaKey.publicKey, privateKey: createPrivateKey(rsaKey.privateKey) };
    this.#tls = adminTlsOf(options.tls ?? null);
    this.updateUsers(options.users);
  }

  get host(): string {
    return this.#address?.address ?? this.#options.host;
  }

  get port(): number {
    return this.#address?.port ?? this.#options.port;
  }

  async listen(): Promise<void> {
    const { host, port, more = [], sockets = [], socketMode = DEFAULT_SOCKET_MODE } = this.#options;
    this.#address = (await this.#listen(host, port)).address() as AddressInfo;
    for (const address of more) await this.#listen(address.host, address.port);
    for (const path of sockets) await this.#listenOnPath(path, socketMode);
  }

  async #listen(host: string, port: number): Promise<Server> {
    const inherited = this.#inherited(
      (socket) => socket.path === null && socket.host === host && (port === 0 || socket.port === port),
    );
    const server = await this.#open(inherited ?? { host, port });
    this.#opened.push({ server, host, path: null, inode: 0 });
    return server;
  }

  async #listenOnPath(path: string, mode: number): Promise<void> {
    const inherited = this.#inherited((socket) => socket.path === path);
    if (inherited !== null) {
      const server = await this.#open(inherited);
      this.#opened.push({ server, host: '', path, inode: 0 });
      return;
    }
    const server = this.#server();
    const inode = await listenOnPath(server, path, { mode });
    this.#opened.push({ server, host: '', path, inode });
  }

  #inherited(wanted: (socket: ListeningSocket) => boolean): { fd: number } | null {
    const socket = this.#options.inherited?.find((each) => each.use === SocketUse.admin && wanted(each));
    return socket === undefined ? null : { fd: socket.fd };
  }

  async #open(where: ListenOptions | { readonly fd: number }): Promise<Server> {
    const server = this.#server();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return server;
  }

  #server(): Server {
    const server = createServer((socket) => this.#connected(socket));
    server.on('error', (error) => this.#options.logger.error('admin port failed', { err: error }));
    return server;
  }

  sockets(): readonly ListeningSocket[] {
    return this.#opened.map(({ server, host, path }) =>
      listeningSocket(server, SocketUse.admin, { host, path }),
    );
  }

  handOver(): void {
    for (const { server } of this.#opened) server.close();
    this.#opened = [];
  }

  updateTls(tls: ClientTls | null): void {
    this.#tls = adminTlsOf(tls);
  }

  updateUsers(users: readonly AdminUser[]): void {
    const { host: first, more = [] } = this.#options;
    for (const host of [first, ...more.map((address) => address.host)]) {
      const exposed = exposedDefaultUsers(host, users);
      if (exposed.length > 0)
        throw new Error(
          `the admin port would listen on ${host}, which is not loopback, with a default password for: ${exposed.join(', ')}`,
        );
    }
    this.#accounts = new Map(
      users.map(({ username, password, role = AdminRole.admin }) => [username, { password, role }]),
    );
    this.#secretCache = new Map();
  }

  async close(): Promise<void> {
    const closed = this.#opened.map(({ server, path, inode }) => {
      if (path !== null) removeSocketPath(path, inode);
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    for (const socket of this.#arriving) socket.destroy();
    for (const session of [...this.#logins, ...this.#sessions]) session.shutDown();
    await Promise.all(closed);
  }

  #connected(socket: Socket): void {
    if (this.#Session !== null) {
      this.#greet(this.#Session, socket);
      return;
    }
    this.#arriving.add(socket);
    socket.once('close', () => this.#arriving.delete(socket)).on('error', () => undefined);
    this.#load().catch((error: unknown) => {
      this.#options.logger.error('admin port cannot be used', { error });
      socket.destroy();
    });
  }

  async #load(): Promise<void> {
    const [{ AdminSession }] = await Promise.all([import('./admin-session.ts'), this.#options.prepare?.()]);
    this.#Session = AdminSession;
    for (const socket of this.#arriving) this.#greet(AdminSession, socket);
    this.#arriving.clear();
  }

  #greet(Session: typeof AdminSession, socket: Socket): void {
    const { state, logger, audit, version } = this.#options;
    if (this.#logins.size >= this.#limits.maxLogins) this.#dropOldestLogin();
    const session: AdminSession = new Session(socket, {
      connectionId: ++this.#connectionId,
      serverVersion: `${GREETING_VERSION}-${version}`,
      limits: this.#limits,
      context: {
        state,
        logger,
        audit,
        port: 'admin',
        version,
        commandTimeoutMs: this.#limits.commandTimeoutMs,
        startedAtMs: this.#startedAtMs,
      },
      lookup: (username) => this.#accounts.get(username) ?? null,
      secretCache: this.#secretCache,
      rsaKeyPair: this.#rsaKeyPair,
      tls: this.#tls,
      admit: () => this.#admit(session),
      closed: () => {
        this.#logins.delete(session);
        this.#sessions.delete(session);
      },
    });
    this.#logins.add(session);
  }

  #dropOldestLogin(): void {
    const oldest = this.#logins.values().next().value;
    if (oldest === undefined) return;
    this.#logins.delete(oldest);
    oldest.drop();
  }

  #admit(session: AdminSession): boolean {
    if (this.#sessions.size >= this.#limits.maxSessions) return false;
    this.#logins.delete(session);
    this.#sessions.add(session);
    return true;
  }
}

/** @throws the system's error (`EADDRINUSE`…), or where a default password would be open to other machines */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const listener = new AdminListener(options);
  try {
    await listener.listen();
  } catch (error) {
    await listener.close();
    throw error;
  }
  return listener;
}
