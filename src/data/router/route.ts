/** Where a statement goes, and why: values made once, compared by reference. */

import type { ClassReason } from '../../sql/statement-class.ts';

export const RouteTarget = { primary: 'primary', replica: 'replica', held: 'held' } as const;
export type RouteTarget = (typeof RouteTarget)[keyof typeof RouteTarget];

/** What decides besides the statement's own class (`ClassReason`). */
export const RouteReason = {
  inTransaction: 'in-transaction',
  readOnlyTransaction: 'read-only-transaction',
  autocommitOff: 'autocommit-off',
  stickyAfterWrite: 'sticky-after-write',
  pinned: 'pinned',
  hint: 'hint',
  noReplica: 'no-replica',
  noPrimary: 'no-primary',
  unsafeView: 'unsafe-view',
  viewsUnknown: 'views-unknown',
  residue: 'session-residue',
} as const;
export type RouteReason = (typeof RouteReason)[keyof typeof RouteReason] | ClassReason;

export interface Route {
  readonly target: RouteTarget;
  readonly reason: RouteReason;
}

const made = new Map<string, Route>();

export function routeOf(target: RouteTarget, reason: RouteReason): Route {
  const key = `${target} ${reason}`;
  let route = made.get(key);
  if (route === undefined) {
    route = Object.freeze({ target, reason });
    made.set(key, route);
  }
  return route;
}
