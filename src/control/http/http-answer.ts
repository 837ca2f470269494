/** Answers of the http port, and what every one of them says to a browser about how far it is to be trusted. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A buffer may be sent to many; nobody changes it. */
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** Who has not taken an answer by then does not want it. */
const SLOWEST_READER_MS = 30_000;

/** Everything that a page of ours is made of comes from here: nothing inline, nothing from elsewhere, in no frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Not `no-referrer`: with that browsers say `Origin: null` where a form is sent, and it is what forms are judged by.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export function json(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n`, headers };
}

export function jsonBytes(body: Buffer, headers: Answer['headers'] = {}): Answer {
  return { status: 200, contentType: JSON_TYPE, body, headers };
}

export function redirect(location: string, headers: Answer['headers'] = {}): Answer {
  return {
    status: 303,
    contentType: 'text/plain; charset=utf-8',
    body: '',
    headers: { location, ...headers },
  };
}

/** A tag that changes with the content, for who has it already. */
export function isKnown(headers: IncomingHttpHeaders, etag: string): boolean {
  return headers['if-none-match'] === etag;
}

export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, contentType, body, headers } = answer;
  const isEmpty = status === 304 || status === 204;
  response.writeHead(status, {
    ...(isEmpty ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    ...SECURITY_HEADERS,
    ...headers,
    // What is left of a body that was not read must not be taken for the next request.
    ...(request.complete || !hasBody(request) ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' || isEmpty ? undefined : body);
  if (response.writableFinished) return;
  const timer = setTimeout(() => request.socket.destroy(), SLOWEST_READER_MS).unref();
  response.once('close', () => clearTimeout(timer));
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
