/**
 * Who asks, and whether what they ask for is what they wanted. A browser sends its cookies, and passwords that it
 * remembers, with whatever page makes it ask: so what changes something must come from a page of ours, which the
 * browser itself says (`Origin`, `Sec-Fetch-Site`) and which the page proves with a token that no other page can read.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AdminUser } from '../../admin/admin-server.ts';
import type { AuditTrail, Operator } from '../../logs/audit-log.ts';
import type { Visitor } from '../http-route.ts';
import { LoginGate, type LoginVerdict } from './login-gate.ts';
import { type WebSessionLimits, WebSessions } from './web-sessions.ts';

/** Sent by our pages with what changes something. */
const CSRF_HEADER = 'x-sluice-token';
/** Sent by our pages when somebody has touched them since they last asked. */
const TOUCH_HEADER = 'x-sluice-touched';
const MAX_AUTHORIZATION_LENGTH = 2048;
/** What somebody has tried, in the log. */
const MAX_USERNAME_LENGTH = 128;

export type Identity =
  | { readonly kind: 'visitor'; readonly visitor: Visitor }
  | { readonly kind: 'nobody' }
  /** Said who they are, wrongly. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterMs: number };

export class AccessControl {
  readonly #gate: LoginGate;
  readonly #sessions: WebSessions;
  readonly #audit: AuditTrail;

  constructor(users: readonly AdminUser[], limits: WebSessionLimits, audit: AuditTrail) {
    this.#audit = audit;
    this.#gate = new LoginGate(users);
    this.#sessions = new WebSessions(limits);
  }

  /** Who may log in from now on; sessions of users that are gone, or have another password or role, end. */
  update(users: readonly AdminUser[], limits: WebSessionLimits): void {
    this.#gate.updateUsers(users);
    this.#sessions.updateLimits(limits);
    this.#sessions.keepOnly((account) => this.#gate.isCurrent(account));
  }

  async identify(request: IncomingMessage): Promise<Identity> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#basic(authorization, addressOf(request));
    const token = cookieOf(request, cookieName(request.socket.localPort ?? 0));
    if (token === null) return { kind: 'nobody' };
    const isTouched = request.headers[TOUCH_HEADER] !== undefined;
    const session = this.#sessions.find(token, isTouched || request.method === 'POST');
    if (session === null) return { kind: 'nobody' };
    const { username, role } = session.account;
    return { kind: 'visitor', visitor: { username, role, session } };
  }

  /** Logs in at the dashboard. */
  async login(username: string, password: string, address: string): Promise<LoginVerdict> {
    const verdict = await this.#attempt(username, password, address);
    if (verdict.kind === 'accepted')
      this.#audit.loggedIn({ ...operator(username, address), role: verdict.account.role });
    return verdict;
  }

  /** @returns the value of a `Set-Cookie` header */
  open(
    account: Extract<LoginVerdict, { kind: 'accepted' }>['account'],
    localPort: number,
    isTls: boolean,
  ): string {
    const token = this.#sessions.open(account);
    return `${cookieName(localPort)}=${token}; ${cookieAttributes(isTls)}`;
  }

  /** @returns the value of a `Set-Cookie` header, which takes the cookie away */
  close(visitor: Visitor, address: string, localPort: number, isTls: boolean): string {
    this.#audit.left(operator(visitor.username, address), 'logged out');
    if (visitor.session !== null) this.#sessions.close(visitor.session.id);
    return `${cookieName(localPort)}=; ${cookieAttributes(isTls)}; Max-Age=0`;
  }

  async #attempt(username: string, password: string, address: string): Promise<LoginVerdict> {
    const verdict = await this.#gate.attempt({ username, password, address });
    if (verdict.kind !== 'accepted') {
      const reason = verdict.kind === 'busy' ? 'too many failures' : 'wrong user name or password';
      this.#audit.loginRefused(operator(username.slice(0, MAX_USERNAME_LENGTH), address), reason);
    }
    return verdict;
  }

  async #basic(authorization: string, address: string): Promise<Identity> {
    const credentials = basicCredentials(authorization);
    if (credentials === null) return { kind: 'refused' };
    const verdict = await this.#attempt(credentials.username, credentials.password, address);
    if (verdict.kind !== 'accepted') return verdict;
    const { username, role } = verdict.account;
    return { kind: 'visitor', visitor: { username, role, session: null } };
  }
}

/**
 * Why a request that changes something is not to be believed; null when it is. Tools send neither `Origin` nor
 * `Sec-Fetch-Site`: they are believed where no cookie spoke for them.
 */
export function forgeryProblem(request: IncomingMessage, visitor: Visitor | null): string | null {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin') return `it comes from another site (${site})`;
  if (origin !== undefined && !isOwnOrigin(origin, host)) return 'its Origin is not this server';
  if (visitor?.session == null) return null;
  if (origin === undefined && site === undefined) return 'it has no Origin';
  const token = request.headers[CSRF_HEADER];
  if (typeof token !== 'string' || !equal(token, visitor.session.csrfToken))
    return `${CSRF_HEADER} is missing or wrong`;
  return null;
}

/** Whatever the scheme: who terminates TLS in front of this port leaves it out of our sight. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function operator(username: string, host: string): Operator {
  return { port: 'http', username, host, connectionId: 0 };
}

export function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

/** Cookies know no ports: each Sluice of a machine has its own. */
function cookieName(localPort: number): string {
  return `sluice_${localPort}`;
}

function cookieAttributes(isTls: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;
}

function cookieOf({ headers }: IncomingMessage, name: string): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name && value !== undefined && value !== '') return value;
  }
  return null;
}

function basicCredentials(authorization: string): { username: string; password: string } | null {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization.slice(0, MAX_AUTHORIZATION_LENGTH))?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
