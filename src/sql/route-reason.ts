/** Where a statement may go, and why: closed sets, printed as they stand in logs, admin tables and metrics. */

import { ClassReason, PinReason } from './statement-class.ts';

export const RouteTarget = {
  primary: 'primary',
  replica: 'replica',
  /** The connection that the session has. */
  held: 'held',
  /** No server: Sluice answers itself. */
  sluice: 'sluice',
} as const;
export type RouteTarget = (typeof RouteTarget)[keyof typeof RouteTarget];

/** What decides besides the statement's own class (`ClassReason`). */
export const RouteReason = {
  inTransaction: 'in-transaction',
  readOnlyTransaction: 'read-only-transaction',
  autocommitOff: 'autocommit-off',
  /** Something was written of which nobody knows yet who has it. */
  gtidUnknown: 'gtid-unknown',
  /** No replica has what the read must see, nor in the time that it may wait. */
  replicaBehind: 'replica-behind',
  pinned: 'pinned',
  hint: 'hint',
  /** A query rule, or fast routing, names the hostgroup. */
  rule: 'rule',
  noReplica: 'no-replica',
  /** All that could answer are over their limit of lag. */
  replicasLag: 'replicas-lag',
  noPrimary: 'no-primary',
  unsafeView: 'unsafe-view',
  viewsUnknown: 'views-unknown',
  residue: 'session-residue',
  /** A transaction that was lost is done again. */
  replay: 'replay',
  /** KILL, or what a statement before has left */
  answeredHere: 'answered-here',
  /** `error_msg` or `OK_msg` of a query rule */
  queryRule: 'query-rule',
  firewall: 'firewall',
  rateLimit: 'rate-limit',
  /** The answer was kept of an earlier statement. */
  cached: 'cached',
} as const;
export type RouteReason = (typeof RouteReason)[keyof typeof RouteReason] | ClassReason;

const TARGETS: readonly RouteTarget[] = Object.values(RouteTarget);
const REASONS: readonly RouteReason[] = [...Object.values(ClassReason), ...Object.values(RouteReason)];

/** A place in the shared counters for every target and reason there can be. */
export interface RouteSlot {
  readonly target: RouteTarget;
  readonly reason: RouteReason;
  readonly slot: number;
  /** Others are counted as well, should they occur. */
  readonly isPossible: boolean;
}

const ANSWERED_HERE: ReadonlySet<RouteReason> = new Set<RouteReason>([
  RouteReason.answeredHere,
  RouteReason.queryRule,
  RouteReason.firewall,
  RouteReason.rateLimit,
  RouteReason.cached,
]);

const POSSIBLE: Readonly<Record<RouteTarget, (reason: RouteReason) => boolean>> = {
  primary: (reason) =>
    reason !== ClassReason.provenRead && reason !== RouteReason.replay && !ANSWERED_HERE.has(reason),
  replica: (reason) =>
    reason === ClassReason.provenRead ||
    reason === RouteReason.hint ||
    reason === RouteReason.rule ||
    reason === RouteReason.readOnlyTransaction ||
    reason === RouteReason.replicasLag ||
    reason === RouteReason.noPrimary,
  held: (reason) => reason === RouteReason.inTransaction || reason === RouteReason.pinned,
  sluice: (reason) => ANSWERED_HERE.has(reason),
};

export const ROUTE_SLOTS: readonly RouteSlot[] = TARGETS.flatMap((target, row) =>
  REASONS.map((reason, column) => ({
    target,
    reason,
    slot: row * REASONS.length + column,
    isPossible: POSSIBLE[target](reason),
  })),
);

export function routeSlot(target: RouteTarget, reason: RouteReason): number {
  return TARGETS.indexOf(target) * REASONS.length + REASONS.indexOf(reason);
}

/** By slot: the place of a reason in the shared counters, and its bit where several are one number. */
export const PIN_REASONS: readonly PinReason[] = Object.values(PinReason);

export function pinSlot(reason: PinReason): number {
  return PIN_REASONS.indexOf(reason);
}

/** What the bits of a number of `pinSlot`s stand for. */
export function pinsOf(bits: number): PinReason[] {
  return PIN_REASONS.filter((_, slot) => (bits & (1 << slot)) !== 0);
}
