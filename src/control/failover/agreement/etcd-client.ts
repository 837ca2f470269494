/**
 * The few calls of etcd's v3 API that an agreement needs, over its JSON gateway.
 * https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
 *
 * Keys and values travel in base64, 64-bit numbers as texts, and a field with its default value is left out. Each call
 * goes to the endpoint that answered last, then to the others, within one deadline. A call that was sent and got no
 * answer may have been executed all the same.
 */

import { type Agent, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

export interface EtcdTls {
  /** PEM texts; null: the system's authorities, no certificate of our own. */
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

export interface EtcdClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoints: readonly string[];
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: EtcdTls;
  /** For one call, over all endpoints. */
  readonly timeoutMs: number;
}

export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: string;
  readonly modRevision: string;
  /** `'0'`: without one. */
  readonly lease: string;
}

/** A revision of `'0'` is that of a key that does not exist. */
export interface EtcdCompare {
  readonly key: string;
  readonly target: 'create' | 'mod';
  readonly revision: string;
}

export interface EtcdPut {
  readonly key: string;
  readonly value: string;
  readonly lease?: string;
}

/** etcd has answered with an error, or nobody has answered. */
export class EtcdError extends Error {
  /** gRPC's code; null where no answer came. */
  readonly code: number | null;

  constructor(message: string, code: number | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EtcdError';
    this.code = code;
  }
}

type Json = Readonly<Record<string, unknown>>;

const UNAUTHENTICATED = 16;
/** Of gRPC: the member has no leader, or is stopping; another one may do. */
const UNAVAILABLE = 14;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString();

/** The first key behind all that begin with `prefix`. */
function endOfPrefix(prefix: string): string {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1]!++;
  return bytes.toString('base64');
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : fallback;
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function entryOf(value: unknown): EtcdEntry {
  const kv = object(value);
  return {
    key: decode(text(kv.key, '')),
    value: decode(text(kv.value, '')),
    createRevision: text(kv.create_revision, '0'),
    modRevision: text(kv.mod_revision, '0'),
    lease: text(kv.lease, '0'),
  };
}

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #agents: { readonly http: Agent; readonly https: TlsAgent };
  /** Of `endpoints`: the one that answered last. */
  #current = 0;
  #token: string | null = null;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#agents = {
      http: new PlainAgent({ keepAlive: true, maxSockets: 4 }),
      https: new TlsAgent({
        keepAlive: true,
        maxSockets: 4,
        ...(options.tls.ca === null ? {} : { ca: options.tls.ca }),
        ...(options.tls.certificate === null ? {} : { cert: options.tls.certificate }),
        ...(options.tls.key === null ? {} : { key: options.tls.key }),
      }),
    };
  }

  /** @returns the lease, with the time to live that etcd grants, which may be longer than asked for */
  async grantLease(ttlSeconds: number): Promise<{ readonly id: string; readonly ttlMs: number }> {
    const answer = await this.#call('lease/grant', { TTL: String(ttlSeconds) });
    return { id: text(answer.ID, ''), ttlMs: Number(text(answer.TTL, '0')) * 1000 };
  }

  /** @returns how long it lives from now; null: it is gone */
  async keepAlive(lease: string): Promise<number | null> {
    const answer = object((await this.#call('lease/keepalive', { ID: lease })).result);
    const ttlMs = Number(text(answer.TTL, '0')) * 1000;
    return ttlMs > 0 ? ttlMs : null;
  }

  /** The keys that hang on it are deleted with it. */
  async revokeLease(lease: string): Promise<void> {
    await this.#call('lease/revoke', { ID: lease });
  }

  /** All entries whose key begins so, as a majority of etcd's members has them. */
  async list(prefix: string): Promise<readonly EtcdEntry[]> {
    const answer = await this.#call('kv/range', { key: encode(prefix), range_end: endOfPrefix(prefix) });
    return (Array.isArray(answer.kvs) ? answer.kvs : []).map(entryOf);
  }

  /** Puts all, if all comparisons hold. @returns whether they did */
  async transact(compare: readonly EtcdCompare[], puts: readonly EtcdPut[]): Promise<boolean> {
    const answer = await this.#call('kv/txn', {
      compare: compare.map(({ key, target, revision }) => ({
        key: encode(key),
        result: 'EQUAL',
        ...(target === 'create'
          ? { target: 'CREATE', create_revision: revision }
          : { target: 'MOD', mod_revision: revision }),
      })),
      success: puts.map(({ key, value, lease }) => ({
        request_put: { key: encode(key), value: encode(value), ...(lease === undefined ? {} : { lease }) },
      })),
    });
    return answer.succeeded === true;
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #call(path: string, body: Json): Promise<Json> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    await this.#logIn(signal);
    try {
      return await this.#ask(path, body, signal);
    } catch (error) {
      const isStale = error instanceof EtcdError && error.code === UNAUTHENTICATED && this.#token !== null;
      if (!isStale) throw error;
      this.#token = null;
      await this.#logIn(signal);
      return this.#ask(path, body, signal);
    }
  }

  async #logIn(signal: AbortSignal): Promise<void> {
    const { username: name, password } = this.#options;
    if (name === null || this.#token !== null) return;
    const answer = await this.#ask('auth/authenticate', { name, password: password ?? '' }, signal);
    this.#token = text(answer.token, '');
  }

  async #ask(path: string, body: Json, signal: AbortSignal): Promise<Json> {
    const { endpoints } = this.#options;
    const failures: string[] = [];
    for (let tried = 0; tried < endpoints.length; tried++) {
      const index = (this.#current + tried) % endpoints.length;
      const endpoint = endpoints[index]!;
      try {
        const answer = await this.#askOne(
          endpoint,
          path,
          body,
          this.#share(signal, endpoints.length - tried),
        );
        this.#current = index;
        return answer;
      } catch (error) {
        if (error instanceof EtcdError && error.code !== UNAVAILABLE) throw error;
        failures.push(`${endpoint}: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (signal.aborted) break;
    }
    throw new EtcdError(`etcd does not answer: ${failures.join('; ')}`, null);
  }

  /** One endpoint that hangs must leave the others some time. */
  #share(signal: AbortSignal, left: number): AbortSignal {
    if (left <= 1) return signal;
    return AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(this.#options.timeoutMs / (left + 1)))]);
  }

  #askOne(endpoint: string, path: string, body: Json, signal: AbortSignal): Promise<Json> {
    const url = new URL(`/v3/${path}`, endpoint);
    const isTls = url.protocol === 'https:';
    const payload = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      ...(this.#token === null ? {} : { authorization: this.#token }),
    };
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', headers, signal };
      const answered = (response: IncomingMessage) => readAnswer(response).then(resolve, reject);
      const call = isTls
        ? tlsRequest(url, { ...options, agent: this.#agents.https }, answered)
        : plainRequest(url, { ...options, agent: this.#agents.http }, answered);
      call.on('error', (error) => reject(signal.aborted ? new Error('no answer in time') : error));
      call.end(payload);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
  }
  const body = parse(Buffer.concat(chunks).toString(), response.statusCode ?? 0);
  const failure = object(body.error);
  if (response.statusCode === 200 && body.error === undefined) return body;
  const message = text(body.message, text(body.error, text(failure.message, `HTTP ${response.statusCode}`)));
  throw new EtcdError(message, Number(body.code ?? failure.grpc_code ?? 0));
}

function parse(body: string, status: number): Json {
  try {
    return object(JSON.parse(body));
  } catch (error) {
    throw new EtcdError(`HTTP ${status} with what is no JSON`, UNAVAILABLE, error);
  }
}
