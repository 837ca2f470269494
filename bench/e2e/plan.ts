/** What a run will measure, in order, and how long that takes. */

import { type BenchOptions, ScenarioName } from './options.ts';
import { type StatementProtocol, Workload } from './sysbench.ts';

export type Point =
  | {
      readonly kind: 'sysbench';
      readonly scenario: ScenarioName;
      readonly workload: Workload;
      readonly protocol: StatementProtocol;
      readonly clients: number;
      readonly label: string;
    }
  | {
      readonly kind: 'churn';
      readonly scenario: ScenarioName;
      readonly clients: number;
      readonly label: string;
    }
  | {
      readonly kind: 'idle';
      readonly scenario: ScenarioName;
      readonly clients: number;
      readonly label: string;
    }
  | {
      readonly kind: 'bigResult';
      readonly scenario: ScenarioName;
      readonly stalled: boolean;
      readonly label: string;
    }
  /** Point selects by clients in TLS; of Sluice only. */
  | {
      readonly kind: 'tls';
      readonly scenario: ScenarioName;
      readonly clients: number;
      readonly label: string;
    }
  | { readonly kind: 'prepares'; readonly scenario: ScenarioName; readonly label: string }
  | { readonly kind: 'flood'; readonly scenario: ScenarioName; readonly label: string };

const CHURN_CLIENTS = 16;
const TLS_CLIENTS = 64;

/** Start of a proxy and its warm-up. */
const SECONDS_TO_START = 5;
const SECONDS_AROUND_A_RUN = 0.7;
const SECONDS_OF: Readonly<Record<'idle' | 'bigResult' | 'flood' | 'prepares', number>> = {
  idle: 8,
  bigResult: 10,
  flood: 25,
  prepares: 150,
};
const SECONDS_FOR_SERVERS = 15;

const WORKLOADS = [
  [ScenarioName.pointSelect, Workload.pointSelect],
  [ScenarioName.readOnly, Workload.readOnly],
  [ScenarioName.readWrite, Workload.readWrite],
] as const;

export function planPoints(options: BenchOptions): Point[] {
  const points: Point[] = [];
  for (const [scenario, workload] of WORKLOADS) {
    if (!options.scenarios.includes(scenario)) continue;
    for (const protocol of options.protocols) {
      for (const clients of options.clients) {
        const label = `${scenario}, ${protocol}, ${clients} ${clients === 1 ? 'client' : 'clients'}`;
        points.push({ kind: 'sysbench', scenario, workload, protocol, clients, label });
      }
    }
  }
  const { churn, idle, bigResult, flood, prepares, tls } = ScenarioName;
  const has = (scenario: ScenarioName) => options.scenarios.includes(scenario);
  if (has(tls)) {
    const label = `point-select, text, ${TLS_CLIENTS} clients, TLS`;
    points.push({ kind: 'tls', scenario: tls, clients: TLS_CLIENTS, label });
  }
  if (has(churn)) {
    const label = `connect, one query, close: ${CHURN_CLIENTS} clients`;
    points.push({ kind: 'churn', scenario: churn, clients: CHURN_CLIENTS, label });
  }
  if (has(idle)) {
    points.push({
      kind: 'idle',
      scenario: idle,
      clients: options.idleClients,
      label: `${options.idleClients} idle clients`,
    });
  }
  if (has(bigResult)) {
    const size = `result of ${options.bigResultMegabytes} MB`;
    points.push({ kind: 'bigResult', scenario: bigResult, stalled: false, label: `${size}, fast reader` });
    points.push({ kind: 'bigResult', scenario: bigResult, stalled: true, label: `${size}, stalled reader` });
  }
  if (has(flood)) {
    points.push({ kind: 'flood', scenario: flood, label: `flood of ${options.floodStatements} digests` });
  }
  if (has(prepares)) {
    const label = `${options.preparedStatements} different prepared statements`;
    points.push({ kind: 'prepares', scenario: prepares, label });
  }
  return points;
}

/** Points whose memory is measured begin with a proxy that has served nothing but its warm-up. */
export function needsFreshTarget(point: Point): boolean {
  return point.kind !== 'sysbench' && point.kind !== 'churn' && point.kind !== 'tls';
}

/** Idle clients hold nothing. */
export function maxBusyClients(points: readonly Point[]): number {
  return Math.max(
    1,
    ...points.map((point) => (point.kind === 'sysbench' || point.kind === 'tls' ? point.clients : 1)),
  );
}

export function roundsOf(point: Point, options: BenchOptions): number {
  return needsFreshTarget(point) ? options.repeatLong : options.repeat;
}

export function estimatedSeconds(points: readonly Point[], options: BenchOptions): number {
  const targets = options.targets.length;
  let seconds = SECONDS_FOR_SERVERS + targets * SECONDS_TO_START;
  for (const point of points) {
    const once =
      point.kind === 'sysbench' || point.kind === 'churn' || point.kind === 'tls'
        ? options.seconds + SECONDS_AROUND_A_RUN
        : SECONDS_OF[point.kind] + SECONDS_TO_START;
    seconds += once * targets * roundsOf(point, options);
  }
  return Math.round(seconds);
}
