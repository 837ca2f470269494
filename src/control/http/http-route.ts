/** What the http port answers: one route for each path and method. Who may ask is decided before a route is run. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AdminRole } from '../admin/commands/command.ts';
import type { Answer } from './http-answer.ts';

export const RouteAccess = {
  /** Everybody: health, and what a login page is made of. */
  open: 'open',
  /** Everybody where the metrics are open, else who has logged in. */
  metrics: 'metrics',
  /** Who has logged in, stats users too. */
  stats: 'stats',
  admin: 'admin',
} as const;
export type RouteAccess = (typeof RouteAccess)[keyof typeof RouteAccess];

/** Who asks. */
export interface Visitor {
  readonly username: string;
  readonly role: AdminRole;
  /** Null for who sends a password with each request. */
  readonly session: VisitorSession | null;
}

export interface VisitorSession {
  readonly id: string;
  /** What the pages of this session send along with whatever changes something. */
  readonly csrfToken: string;
  /** Milliseconds since 1970. */
  readonly endsAtMs: number;
}

export interface HttpCall {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The client's address, without its port. */
  readonly address: string;
  /** The port that it came to. */
  readonly localPort: number;
  readonly isTls: boolean;
  /** Null on open routes. */
  readonly visitor: Visitor | null;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly access: RouteAccess;
  /** For people: who has not logged in is sent to the login page instead of getting an error. */
  readonly isPage?: boolean;
  /** Kept apart from what operators do, so that nothing of that can hold it up. */
  readonly isHealth?: boolean;
  answer(call: HttpCall): Answer | Promise<Answer>;
}
