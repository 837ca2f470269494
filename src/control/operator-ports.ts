/** The ports for operators, admin and http, put together: opened, updated and closed as one. */

import type { Config } from '../../config/schema.ts';
import type { ListeningSocket } from '../common/listening-socket.ts';
import type { Logger } from '../common/logger.ts';
import { type AdminServer, startAdminServer } from './admin/admin-server.ts';
import type { AdminState } from './admin/admin-state.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { HealthSources } from './http/health-routes.ts';
import { HttpSite } from './http/http-site.ts';
import { joinAddress, listenOptions } from './listen-options.ts';
import type { AuditTrail } from './logs/audit-log.ts';
import type { SluiceAddresses } from './sluice-handle.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface OperatorPortsParts extends HealthSources {
  readonly version: string;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  readonly state: AdminState;
  /** What commands need, and is not loaded before somebody comes. */
  prepare(): Promise<unknown>;
  readonly certificates: CertificateKeeper;
  /** Of the process before this one. */
  readonly inherited: readonly ListeningSocket[];
  config(): Config;
}

export class OperatorPorts {
  readonly #parts: OperatorPortsParts;
  #http: HttpSite | null = null;
  #admin: AdminServer | null = null;

  constructor(parts: OperatorPortsParts) {
    this.#parts = parts;
  }

  get addresses(): Pick<SluiceAddresses, 'admin' | 'http'> {
    return {
      admin: this.#admin === null ? null : joinAddress(this.#admin.host, this.#admin.port),
      http: this.#http === null ? null : joinAddress(this.#http.host, this.#http.port),
    };
  }

  /** Before there is anything to tell but that it starts. */
  async openHttp(): Promise<void> {
    const { certificates, config, ...parts } = this.#parts;
    const certificate = certificates.material.client;
    this.#http = await HttpSite.start({ ...parts, config: config(), certificate });
  }

  /** @param rsaKey the one that workers have */
  async openAdmin(rsaKey: { readonly privateKey: string; readonly publicKey: string }): Promise<void> {
    const { version, logger, audit, state, certificates, config, inherited, prepare } = this.#parts;
    const { admin } = config();
    this.#admin = await startAdminServer({
      ...listenOptions(admin),
      users: admin.users,
      tls: certificates.material.admin,
      inherited,
      rsaKey,
      version,
      logger,
      audit,
      state,
      prepare,
    });
  }

  update(config: Config, tls: TlsMaterial): void {
    this.#admin?.updateUsers(config.admin.users);
    this.#http?.update(config);
    this.updateTls(tls);
  }

  updateTls(tls: TlsMaterial): void {
    this.#admin?.updateTls(tls.admin);
    this.#http?.updateCertificate(tls.client);
  }

  /** For another process. */
  sockets(): readonly ListeningSocket[] {
    return [...(this.#admin?.sockets() ?? []), ...(this.#http?.sockets() ?? [])];
  }

  /** Another process has the sockets. Who is logged in may still read the answer that he waits for. */
  async handOver(): Promise<void> {
    this.#admin?.handOver();
    await this.#http?.close();
    this.#http = null;
  }

  async close(): Promise<void> {
    await this.#admin?.close();
    await this.#http?.close();
  }
}
