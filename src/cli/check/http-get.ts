/**
 * One GET, without `node:http`: loading that takes twice as long as the rest of a health check. HTTP/1.0, so that the
 * answer ends with the connection and is in one piece.
 */
import { connect, type Socket } from 'node:net';

export interface HttpRequest {
  readonly host: string;
  readonly port: number;
  /** null: without TLS. */
  readonly tls: TlsOptions | null;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For all of it. */
  readonly timeoutMs: number;
}

export interface TlsOptions {
  /** Whether the certificate must be a good one, for `host`. */
  readonly verify: boolean;
  /** Whom to trust instead of the system's authorities; PEM. */
  readonly ca: string | null;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** A page of metrics of 1,000 servers has 2 MB. */
const MOST_BYTES = 32 * 1024 * 1024;

/** @throws Error that says why there was no answer, in words for operators */
export async function httpGet(request: HttpRequest): Promise<HttpResponse> {
  const { host, path, timeoutMs, headers = {} } = request;
  const socket = await open(request);
  const signal = AbortSignal.timeout(timeoutMs);
  const end = (): void => {
    socket.destroy(new Error(`no answer within ${timeoutMs} ms`));
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const lines = [
      `GET ${path} HTTP/1.0`,
      `Host: ${host.includes(':') ? `[${host}]` : host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    // Not ended: a server that sees the end of its peer's half may give up the answer.
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return parseResponse(await read(socket));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === undefined ? message : (SENTENCES[code] ?? `it failed (${code})`), {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
};

async function open({ host, port, tls }: HttpRequest): Promise<Socket> {
  if (tls === null) return connect({ host, port });
  const { connect: connectTls } = await import('node:tls');
  const { isIP } = await import('node:net');
  const { verify, ca } = tls;
  return connectTls({
    host,
    port,
    rejectUnauthorized: verify,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === null ? {} : { ca }),
  });
}

async function read(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseResponse(answer: Buffer): HttpResponse {
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.toString('latin1', 0, Math.max(end, 0));
  const [, status] = /^HTTP\/1\.[01] (\d{3})\b/.exec(head) ?? [];
  if (status === undefined) throw new Error('the answer is not HTTP');
  const length = /^content-length: *(\d+)\s*$/im.exec(head)?.[1];
  const body = answer.subarray(end + 4);
  if (length !== undefined && body.length < Number(length)) throw new Error('the answer is not whole');
  return { status: Number(status), body: body.toString('utf8') };
}
