/**
 * The http port: `/healthz` for what restarts a dead process, `/readyz` for what sends it clients, `/metrics` for
 * Prometheus. It only reads; nothing here can change how statements go.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../common/logger.ts';

export interface Liveness {
  /** The process answers, and every worker runs or is being restarted. */
  readonly alive: boolean;
  readonly reasons: readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  /** What is missing; empty when ready. */
  readonly reasons: readonly string[];
}

export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly logger: Logger;
  readonly liveness: () => Liveness;
  readonly readiness: () => Readiness;
  readonly metrics: MetricsPage;
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** A load balancer, a scraper and some operators: more at once is a mistake or an attack. */
const MAX_CONNECTIONS = 128;
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 2000,
};

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

async function answerTo(path: string, options: HttpServerOptions): Promise<Answer> {
  switch (path) {
    case '/healthz': {
      const { alive, reasons } = options.liveness();
      return json(alive ? 200 : 503, { status: alive ? 'ok' : 'failing', reasons });
    }
    case '/readyz': {
      const { ready, reasons } = options.readiness();
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', reasons });
    }
    case '/metrics':
      return { status: 200, contentType: options.metrics.contentType, body: await options.metrics.render() };
    default:
      return json(404, { error: 'not found', paths: ['/healthz', '/readyz', '/metrics'] });
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
    // A body is never read: what is left of it must not be taken for the next request.
    ...(hasBody(request) ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(request, response, json(405, { error: 'only GET and HEAD' }));
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  try {
    send(request, response, await answerTo(path, options));
  } catch (error) {
    options.logger.error('http request failed', { path, error });
    if (response.headersSent) response.destroy();
    else send(request, response, json(500, { error: 'internal error' }));
  }
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** @throws the system's error (`EADDRINUSE`…) when the address cannot be had */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(LIMITS, (request, response) => {
    void handle(request, response, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const { address, port } = await listen(server, options.host, options.port);
  server.on('error', (error) => options.logger.error('http server failed', { error }));
  return {
    host: address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
