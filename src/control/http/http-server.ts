/**
 * The http port. It runs on the main thread beside the monitor, so that whatever is asked here is bounded: connections,
 * sizes, times, and how many requests are answered in a second. Who may ask what is decided here and nowhere else, before
 * a route is run.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type ListeningSocket, listeningSocket, SocketUse } from '../../common/listening-socket.ts';
import type { Logger } from '../../common/logger.ts';
import { AdminRole } from '../admin/commands/command.ts';
import { type AccessControl, addressOf, forgeryProblem, type Identity } from './access/access-control.ts';
import { type Answer, json, redirect, sendAnswer } from './http-answer.ts';
import { type HttpRoute, RouteAccess, type Visitor } from './http-route.ts';
import { type Pace, RequestPace } from './request-pace.ts';

/** In PEM. */
export interface HttpCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What it is for, to another process; the http port unless told. */
  readonly use?: SocketUse;
  /** Of the process before this one: opened as they are. */
  readonly inherited?: readonly ListeningSocket[];
  readonly logger: Logger;
  readonly routes: readonly HttpRoute[];
  /** Loaded when somebody asks for something else. */
  readonly moreRoutes?: () => Promise<readonly HttpRoute[]>;
  /** Null where there is nothing to log in to. */
  readonly access: AccessControl | null;
  readonly metricsAreOpen: () => boolean;
  /** Whether somebody may ask for this `Host`; health is told to everybody. */
  readonly isKnownHost: (host: string | undefined) => boolean;
  readonly tls: HttpCertificate | null;
  readonly maxConnections: number;
  /** For tests. */
  readonly paces?: { readonly health: Pace; readonly others: Pace };
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** For connections from now on. */
  updateCertificate(tls: HttpCertificate): void;
  /** For another process. */
  socket(): ListeningSocket;
  close(): Promise<void>;
}

const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 2000,
};
/** A statement for EXPLAIN ROUTE is the longest thing that anybody sends. */
const MAX_BODY_BYTES = 65_536;
/** A socket on which nothing moves. */
const SILENT_SOCKET_MS = 30_000;
const PACES = { health: { perSecond: 500, burst: 500 }, others: { perSecond: 100, burst: 200 } };
const LOGIN_PAGE = '/login';
/** Of one connection, sent without waiting for answers: browsers send one. */
const MOST_AT_ONCE = 8;

class HttpListener implements HttpServer {
  readonly #options: HttpServerOptions;
  #routes: ReadonlyMap<string, readonly HttpRoute[]>;
  #loading: Promise<void> | null = null;
  readonly #server: Server | TlsServer;
  readonly #healthPace: RequestPace;
  readonly #pace: RequestPace;
  /** The oldest first. */
  readonly #sockets = new Set<Socket>();
  /** Requests of a connection that have no answer yet. */
  readonly #open = new WeakMap<Socket, number>();
  #address: AddressInfo | null = null;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#routes = Map.groupBy(options.routes, ({ path }) => path);
    const { health, others } = options.paces ?? PACES;
    this.#healthPace = new RequestPace(health);
    this.#pace = new RequestPace(others);
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response);
    };
    const { tls } = options;
    this.#server =
      tls === null
        ? createServer(LIMITS, handle)
        : createTlsServer({ ...LIMITS, cert: tls.certificate, key: tls.key }, handle);
    this.#server.setTimeout(SILENT_SOCKET_MS);
    this.#server.on('connection', (socket: Socket) => this.#connected(socket));
  }

  get host(): string {
    return this.#address?.address ?? this.#options.host;
  }

  get port(): number {
    return this.#address?.port ?? this.#options.port;
  }

  async listen(): Promise<void> {
    const { host, port, use = SocketUse.http, inherited, logger } = this.#options;
    const taken = inherited?.find(
      (socket) => socket.use === use && socket.host === host && (port === 0 || socket.port === port),
    );
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(taken === undefined ? { host, port } : { fd: taken.fd }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#address = this.#server.address() as AddressInfo;
    this.#server.on('error', (error) => logger.error('http server failed', { error }));
  }

  updateCertificate(tls: HttpCertificate): void {
    if ('setSecureContext' in this.#server)
      this.#server.setSecureContext({ cert: tls.certificate, key: tls.key });
  }

  socket(): ListeningSocket {
    const { use = SocketUse.http, host } = this.#options;
    return listeningSocket(this.#server, use, { host, path: null });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Whoever holds connections without end must not keep a health check out: the new one is served, others go. */
  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#sockets.size <= this.#options.maxConnections) return;
    this.#server.closeIdleConnections();
    const [oldest] = this.#sockets;
    if (this.#sockets.size > this.#options.maxConnections) oldest?.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A peer that breaks off is nobody's fault of ours.
    request.on('error', () => undefined);
    const { socket } = request;
    const open = (this.#open.get(socket) ?? 0) + 1;
    if (open > MOST_AT_ONCE) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, open);
    response.once('close', () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1));
    try {
      const answer = await this.#answerTo(request);
      if (!response.destroyed) sendAnswer(request, response, answer);
    } catch (error) {
      this.#options.logger.error('http request failed', { path: pathOf(request), error });
      if (response.headersSent) response.destroy();
      else sendAnswer(request, response, json(500, { error: 'internal error' }));
    }
  }

  async #answerTo(request: IncomingMessage): Promise<Answer> {
    let routes = this.#routes.get(pathOf(request));
    const isHealth = routes?.every((route) => route.isHealth === true) ?? false;
    const waitMs = (isHealth ? this.#healthPace : this.#pace).take(performance.now());
    if (waitMs === null) return tooMany(2000);
    if (waitMs > 0) await setTimeout(waitMs, undefined, { ref: false });
    if (routes === undefined) {
      await this.#loadMore();
      routes = this.#routes.get(pathOf(request));
    }
    if (routes === undefined)
      return json(404, { error: 'not found', paths: ['/', '/healthz', '/readyz', '/metrics'] });
    if (!isHealth && !this.#options.isKnownHost(request.headers.host))
      return json(421, { error: 'not known by this name: see http.hostNames' });
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = routes.find((one) => one.method === method);
    if (route === undefined) {
      const allow = routes.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method]));
      return json(405, { error: `only ${allow.join(' and ')}` }, { allow: allow.join(', ') });
    }
    return this.#run(route, request);
  }

  #loadMore(): Promise<void> {
    const { routes, moreRoutes = async () => [] } = this.#options;
    const load = async (): Promise<void> => {
      this.#routes = Map.groupBy([...routes, ...(await moreRoutes())], ({ path }) => path);
    };
    this.#loading ??= load().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #run(route: HttpRoute, request: IncomingMessage): Promise<Answer> {
    const permission = await this.#permit(route, request);
    if ('refusal' in permission) return permission.refusal;
    const body = route.method === 'POST' ? await readBody(request) : Buffer.alloc(0);
    if (body === null)
      return json(413, { error: `more than ${MAX_BODY_BYTES} bytes` }, { connection: 'close' });
    const { url = '/', headers, socket } = request;
    const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
    return route.answer({
      path: route.path,
      query,
      headers,
      body,
      address: addressOf(request),
      localPort: socket.localPort ?? this.port,
      isTls: this.#options.tls !== null,
      visitor: permission.visitor,
    });
  }

  async #permit(
    route: HttpRoute,
    request: IncomingMessage,
  ): Promise<{ readonly visitor: Visitor | null } | { readonly refusal: Answer }> {
    const { access: control, metricsAreOpen, logger } = this.#options;
    const { access } = route;
    let visitor: Visitor | null = null;
    if (access !== RouteAccess.open && !(access === RouteAccess.metrics && metricsAreOpen())) {
      const identity: Identity = (await control?.identify(request)) ?? { kind: 'nobody' };
      if (identity.kind !== 'visitor') return { refusal: unknownVisitor(identity, route, request) };
      visitor = identity.visitor;
    }
    if (route.method === 'POST') {
      const problem = forgeryProblem(request, visitor);
      if (problem !== null) {
        logger.warn('http request refused', {
          path: route.path,
          address: addressOf(request),
          username: visitor?.username ?? '',
          reason: problem,
        });
        return { refusal: json(403, { error: `refused: ${problem}` }) };
      }
    }
    if (access === RouteAccess.admin && visitor?.role !== AdminRole.admin)
      return { refusal: json(403, { error: `${route.path} needs an admin user` }) };
    return { visitor };
  }
}

function unknownVisitor(
  identity: Exclude<Identity, { kind: 'visitor' }>,
  route: HttpRoute,
  request: IncomingMessage,
): Answer {
  if (identity.kind === 'busy') return tooMany(identity.retryAfterMs);
  if (route.isPage === true && identity.kind === 'nobody') return redirect(LOGIN_PAGE);
  const error =
    identity.kind === 'refused' ? 'user name or password is wrong' : 'log in as one of admin.users';
  // Browsers would ask for a password by themselves, remember it, and send it for any page that wants something of us.
  const isBrowser = request.headers['sec-fetch-mode'] !== undefined;
  return json(
    401,
    { error },
    isBrowser ? {} : { 'www-authenticate': 'Basic realm="sluice", charset="UTF-8"' },
  );
}

function tooMany(retryAfterMs: number): Answer {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return json(429, { error: 'too many requests' }, { 'retry-after': seconds, connection: 'close' });
}

function pathOf({ url }: IncomingMessage): string {
  return (url ?? '/').split('?', 1)[0] ?? '/';
}

/** Null when it is too long; the rest is not read. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? '0') > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws the system's error (`EADDRINUSE`…) when the address cannot be had */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const listener = new HttpListener(options);
  await listener.listen();
  return listener;
}
