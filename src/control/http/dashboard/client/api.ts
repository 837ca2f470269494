/** The API of this Sluice. */
import type { ActionValue, ExplainValue, MeValue, ProblemValue } from '../../api/api-values.ts';

/** What went wrong, in a sentence for people. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 10_000;
const JSON_TYPE = 'application/json';

interface Known {
  readonly etag: string;
  readonly value: unknown;
}

export class Api {
  #csrfToken = '';
  #isTouched = false;
  readonly #known = new Map<string, Known>();

  constructor() {
    // The login lasts while somebody is there, not while a forgotten page asks.
    for (const type of ['pointerdown', 'keydown'])
      addEventListener(type, () => {
        this.#isTouched = true;
      });
  }

  async me(): Promise<MeValue> {
    const me = await this.get<MeValue>('/api/me');
    this.#csrfToken = me.csrfToken ?? '';
    return me;
  }

  async get<Value>(path: string): Promise<Value> {
    const known = this.#known.get(path);
    const headers: Record<string, string> = { accept: JSON_TYPE };
    if (known !== undefined) headers['if-none-match'] = known.etag;
    if (this.#isTouched) headers['x-sluice-touched'] = '1';
    this.#isTouched = false;
    const response = await request(path, { headers });
    if (response.status === 304 && known !== undefined) return known.value as Value;
    const value: unknown = await response.json();
    const etag = response.headers.get('etag');
    if (etag !== null) this.#known.set(path, { etag, value });
    return value as Value;
  }

  explain(statement: string, schema: string | null): Promise<ExplainValue> {
    return this.#post<ExplainValue>('/api/explain', { statement, schema });
  }

  drain(address: string): Promise<ActionValue> {
    return this.#post<ActionValue>('/api/drain', { address });
  }

  switchover(address: string): Promise<ActionValue> {
    return this.#post<ActionValue>('/api/switchover', { address });
  }

  undrain(address: string): Promise<ActionValue> {
    return this.#post<ActionValue>('/api/undrain', { address });
  }

  kill(session: number, queryOnly: boolean): Promise<ActionValue> {
    return this.#post<ActionValue>('/api/kill', { session, queryOnly });
  }

  rollback(version: number): Promise<ActionValue> {
    return this.#post<ActionValue>('/api/rollback', { version });
  }

  async logout(): Promise<void> {
    await this.#post('/logout', {});
    location.assign('/login');
  }

  async #post<Value>(path: string, value: unknown): Promise<Value> {
    const response = await request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-sluice-token': this.#csrfToken },
      body: JSON.stringify(value),
    });
    return (await response.json()) as Value;
  }
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError(0, 'Sluice does not answer');
  }
  if (response.ok || response.status === 304) return response;
  // The login is over: whatever was open, it has to be made again.
  if (response.status === 401) location.assign('/login');
  throw new ApiError(response.status, await problemOf(response));
}

async function problemOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as Partial<ProblemValue>;
    return error ?? `Sluice answers ${response.status}`;
  } catch {
    return `Sluice answers ${response.status}`;
  }
}
