/** Everything that is behind the http port and the address of the metrics: put together, updated and closed as one. */
import { isLoopback } from '../../../config/default-password.ts';
import type { Config } from '../../../config/schema.ts';
import { parseServerAddress } from '../../../config/server-address.ts';
import { type ListeningSocket, SocketUse } from '../../common/listening-socket.ts';
import type { Logger } from '../../common/logger.ts';
import type { AdminState } from '../admin/admin-state.ts';
import type { AuditTrail } from '../logs/audit-log.ts';
import { AccessControl } from './access/access-control.ts';
import { isKnownHost } from './access/known-host.ts';
import { type HealthSources, healthRoutes } from './health-routes.ts';
import type { HttpRoute } from './http-route.ts';
import { type HttpCertificate, type HttpServer, startHttpServer } from './http-server.ts';
import { SAMPLE_INTERVAL_MS, TrafficSeries } from './traffic/traffic-series.ts';

export interface HttpSiteOptions extends HealthSources {
  readonly config: Config;
  readonly logger: Logger;
  /** Of Sluice. */
  readonly version: string;
  readonly state: AdminState;
  /** What the API needs beside the state, when it is asked for the first time. */
  readonly prepare?: () => Promise<unknown>;
  readonly audit: AuditTrail;
  /** What `tls.certificate` and `tls.key` hold; null where there is none. */
  readonly certificate: HttpCertificate | null;
  /** Of the process before this one. */
  readonly inherited?: readonly ListeningSocket[];
}

const COMMAND_TIMEOUT_MS = 10_000;

export class HttpSite {
  readonly #options: HttpSiteOptions;
  readonly #access: AccessControl;
  readonly #series = new TrafficSeries();
  #http: Config['http'];
  #server: HttpServer | null = null;
  #metricsServer: HttpServer | null = null;
  #sampling: NodeJS.Timeout | null = null;

  private constructor(options: HttpSiteOptions) {
    const { http, admin } = options.config;
    this.#options = options;
    this.#http = http;
    this.#access = new AccessControl(admin.users, sessionLimits(http), options.audit);
  }

  /** @throws the system's error (`EADDRINUSE`…) when an address cannot be had */
  static async start(options: HttpSiteOptions): Promise<HttpSite> {
    const site = new HttpSite(options);
    try {
      await site.#listen();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  get host(): string {
    return this.#server?.host ?? this.#http.host;
  }

  get port(): number {
    return this.#server?.port ?? this.#http.port;
  }

  /** Of the address for metrics alone, with the port that the system chose; null where there is none. */
  get metricsPort(): number | null {
    return this.#metricsServer?.port ?? null;
  }

  update({ http, admin }: Config): void {
    this.#http = http;
    this.#access.update(admin.users, sessionLimits(http));
  }

  updateCertificate(certificate: HttpCertificate | null): void {
    if (certificate !== null) this.#server?.updateCertificate(certificate);
  }

  /** For another process. */
  sockets(): readonly ListeningSocket[] {
    return [this.#server, this.#metricsServer].flatMap((server) => (server === null ? [] : server.socket()));
  }

  async close(): Promise<void> {
    if (this.#sampling !== null) clearInterval(this.#sampling);
    await Promise.all([this.#server?.close(), this.#metricsServer?.close()]);
  }

  async #listen(): Promise<void> {
    const { logger, certificate, inherited = [] } = this.#options;
    const { host, port, dashboard, tls, maxConnections, metricsAddress } = this.#http;
    const health = healthRoutes(this.#options);
    const common = { logger, maxConnections, inherited };
    this.#server = await startHttpServer({
      ...common,
      use: SocketUse.http,
      host,
      port,
      routes: health,
      ...(dashboard ? { moreRoutes: this.#operatorRoutes() } : {}),
      access: this.#access,
      isKnownHost: (name) => isKnownHost(name, this.#http),
      metricsAreOpen: () => this.#http.openMetrics ?? isLoopback(this.#http.host),
      tls: tls ? certificate : null,
    });
    if (metricsAddress === null) return;
    const address = parseServerAddress(metricsAddress, 0);
    if (!address.ok) throw new Error(`http.metricsAddress: ${address.message}`);
    this.#metricsServer = await startHttpServer({
      ...common,
      use: SocketUse.metrics,
      host: address.host,
      port: address.port,
      routes: health,
      access: null,
      isKnownHost: () => true,
      metricsAreOpen: () => true,
      tls: null,
    });
  }

  /** They are megabytes that nobody may ever ask for; what their charts show is sampled from now on. */
  #operatorRoutes(): () => Promise<readonly HttpRoute[]> {
    const { state, logger, audit, version, readiness, prepare } = this.#options;
    const sample = (): void => this.#series.sample(Date.now(), state.counters());
    this.#sampling = setInterval(sample, SAMPLE_INTERVAL_MS).unref();
    const port = 'http' as const;
    const startedAtMs = Date.now();
    const context = { state, logger, audit, port, version, commandTimeoutMs: COMMAND_TIMEOUT_MS };
    return async () => {
      const [{ dashboardRoutes }, { apiRoutes }] = await Promise.all([
        import('./dashboard/dashboard-routes.ts'),
        import('./api/api-routes.ts'),
        prepare?.(),
      ]);
      return [
        ...dashboardRoutes(this.#access),
        ...apiRoutes({ state, series: this.#series, readiness, version, startedAtMs, context }),
      ];
    };
  }
}

function sessionLimits({ sessionIdleMs, sessionMaxMs }: Config['http']): { idleMs: number; maxMs: number } {
  return { idleMs: sessionIdleMs, maxMs: sessionMaxMs };
}
