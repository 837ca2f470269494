/** Where a statement goes, and why: values made once, compared by reference. */

import { type RouteReason, type RouteTarget, routeSlot } from '../../sql/route-reason.ts';

export interface Route {
  readonly target: RouteTarget;
  readonly reason: RouteReason;
  /** Where statements of this route are counted. */
  readonly slot: number;
}

const made = new Map<string, Route>();

export function routeOf(target: RouteTarget, reason: RouteReason): Route {
  const key = `${target} ${reason}`;
  let route = made.get(key);
  if (route === undefined) {
    route = Object.freeze({ target, reason, slot: routeSlot(target, reason) });
    made.set(key, route);
  }
  return route;
}
