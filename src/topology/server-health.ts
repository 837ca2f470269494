/**
 * From the outcomes of checks to a server's status, with hysteresis. Pure.
 *
 * Each check has a state of its own:
 *
 * | state      | meaning                                    | entered from                    | left by                          |
 * |------------|--------------------------------------------|---------------------------------|----------------------------------|
 * | unknown    | no outcome yet                             | (start)                         | the first outcome                |
 * | up         | the last outcome was good                  | unknown, failing, recovering, down | a failure                     |
 * | failing    | failures, fewer than the threshold         | up                              | a good one, or the threshold     |
 * | down       | failed too often, or confirmed at once     | any other                       | good ones                        |
 * | recovering | good ones after down, fewer than needed    | down                            | the threshold, or a failure      |
 *
 * A server is ONLINE while every check that it needs is up or failing, else SHUNNED; what the operator ordered
 * (OFFLINE_SOFT, OFFLINE_HARD) comes first.
 */

import { makeTransitions } from '../common/state-machine.ts';
import { ServerStatus } from './server-description.ts';
import { CheckName } from './server-probe.ts';

export const CheckState = {
  unknown: 'unknown',
  up: 'up',
  failing: 'failing',
  down: 'down',
  recovering: 'recovering',
} as const;
export type CheckState = (typeof CheckState)[keyof typeof CheckState];

export interface CheckHealth {
  readonly state: CheckState;
  /** Failures in a row while failing or down, good outcomes in a row while recovering, else 0. */
  readonly count: number;
  /** Of the last failure; empty when up. */
  readonly reason: string;
}

export type CheckOutcome =
  | { readonly ok: true }
  /** `confirmed`: two independent observers saw it, so the threshold does not apply. */
  | { readonly ok: false; readonly reason: string; readonly confirmed: boolean };

export interface HealthThresholds {
  /** Failures in a row until down. */
  readonly failureThreshold: number;
  /** Good outcomes in a row until up again. */
  readonly recoveryThreshold: number;
}

export const UNCHECKED: CheckHealth = { state: CheckState.unknown, count: 0, reason: 'not checked yet' };

const moveCheck = makeTransitions<CheckState>('check', {
  unknown: ['up', 'down'],
  up: ['up', 'failing', 'down'],
  failing: ['up', 'failing', 'down'],
  down: ['down', 'recovering', 'up'],
  recovering: ['recovering', 'up', 'down'],
});

function afterSuccess(health: CheckHealth, thresholds: HealthThresholds): CheckHealth {
  const up: CheckHealth = { state: CheckState.up, count: 0, reason: '' };
  if (health.state !== CheckState.down && health.state !== CheckState.recovering) return up;
  const count = health.state === CheckState.recovering ? health.count + 1 : 1;
  if (count >= thresholds.recoveryThreshold) return up;
  return { state: CheckState.recovering, count, reason: health.reason };
}

function afterFailure(
  health: CheckHealth,
  outcome: { readonly reason: string; readonly confirmed: boolean },
  thresholds: HealthThresholds,
): CheckHealth {
  const { reason } = outcome;
  const failed = health.state === CheckState.failing || health.state === CheckState.down;
  const count = failed ? health.count + 1 : 1;
  const wasUsable = health.state === CheckState.up || health.state === CheckState.failing;
  if (wasUsable && !outcome.confirmed && count < thresholds.failureThreshold) {
    return { state: CheckState.failing, count, reason };
  }
  return { state: CheckState.down, count, reason };
}

export function stepCheck(
  health: CheckHealth,
  outcome: CheckOutcome,
  thresholds: HealthThresholds,
): CheckHealth {
  const next = outcome.ok ? afterSuccess(health, thresholds) : afterFailure(health, outcome, thresholds);
  moveCheck(health.state, next.state);
  return next;
}

/** What the operator wants of a server; ONLINE leaves it to the checks. */
export type AdministrativeStatus = Exclude<ServerStatus, 'SHUNNED'>;

export type HealthByCheck = Readonly<Record<CheckName, CheckHealth>>;

export const ALL_UNCHECKED: HealthByCheck = {
  connect: UNCHECKED,
  ping: UNCHECKED,
  read_only: UNCHECKED,
  replication: UNCHECKED,
};

/**
 * The replication check is not among them: a server that answers everything else can serve, what is not known
 * about its replication only keeps reads off it.
 */
const NEEDED_CHECKS: readonly CheckName[] = [CheckName.connect, CheckName.ping, CheckName.readOnly];

function isUsable(health: CheckHealth): boolean {
  return health.state === CheckState.up || health.state === CheckState.failing;
}

function describeCheck(name: CheckName, health: CheckHealth): string {
  if (health.state === CheckState.unknown) return `${name}: ${health.reason}`;
  if (health.state === CheckState.recovering) return `${name}: recovering from: ${health.reason}`;
  return `${name} failed: ${health.reason}`;
}

export interface StatusDecision {
  readonly status: ServerStatus;
  /** Empty when ONLINE. */
  readonly reason: string;
}

export function statusOf(health: HealthByCheck, administrative: AdministrativeStatus): StatusDecision {
  if (administrative !== ServerStatus.ONLINE)
    return { status: administrative, reason: 'set by the operator' };
  const broken = NEEDED_CHECKS.filter((name) => !isUsable(health[name]));
  if (broken.length === 0) return { status: ServerStatus.ONLINE, reason: '' };
  // A check that failed says more than one that has only not run since.
  const first = broken.find((name) => health[name].state === CheckState.down) ?? broken[0]!;
  return { status: ServerStatus.SHUNNED, reason: describeCheck(first, health[first]) };
}

/** OFFLINE_HARD is left through SHUNNED only: the server has to prove itself before it gets traffic again. */
export const moveStatus = makeTransitions<ServerStatus>('server status', {
  ONLINE: ['ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD'],
  SHUNNED: ['SHUNNED', 'ONLINE', 'OFFLINE_SOFT', 'OFFLINE_HARD'],
  OFFLINE_SOFT: ['OFFLINE_SOFT', 'ONLINE', 'SHUNNED', 'OFFLINE_HARD'],
  OFFLINE_HARD: ['OFFLINE_HARD', 'SHUNNED', 'OFFLINE_SOFT'],
});
