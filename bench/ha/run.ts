/**
 * The whole series of what test/integration/ha does once: every case several times, every connection counted.
 *
 *   node bench/ha/run.ts [--rounds 5] [--only haproxy|keepalived] [--case 'host is gone']
 *
 * As root: it makes network namespaces.
 *
 * New connections: one every 20 ms, whatever has become of those before. Sessions: four, each with one write after another.
 */

import { parseArgs } from 'node:util';
import { AddressWatch } from '../../test/integration/ha/address-watch.ts';
import { LONG_LIVED, type Outcome, type Target, underLoad } from '../../test/integration/ha/entry-load.ts';
import { CLIENT_PORT, EntryStage, type NodeName } from '../../test/integration/ha/entry-stage.ts';
import { HaproxyEntry } from '../../test/integration/ha/haproxy-entry.ts';
import { KeepalivedNode } from '../../test/integration/ha/keepalived-node.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Case, haproxyCases, keepalivedCases, type Scene } from './cases.ts';

const SHUTDOWN_DELAY_MS = 3500;
const STARTS_WITHIN_MS = 60_000;
/** New connections without an error until a round is over: 4 s of them. */
const GOING_WELL_AFTER = 200;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' }, case: { type: 'string' } },
});
const rounds = Number(values.rounds);

if (values.only !== 'keepalived') await withHaproxy();
if (values.only !== 'haproxy') await withKeepalived();

async function withHaproxy(): Promise<void> {
  const stage = await startStage();
  const entry = await HaproxyEntry.start(stage);
  const state = /Server ready\/(sluice[12]) is (UP|DOWN|stopping)/;
  const ready = async (): Promise<void> => {
    const last = new Map<string, string>();
    await waitUntil(
      'both are up',
      () => {
        for (const line of entry.log) {
          const [, name = '', is = ''] = state.exec(line) ?? [];
          last.set(name, is);
        }
        return (last.get('sluice1') ?? 'UP') === 'UP' && (last.get('sluice2') ?? 'UP') === 'UP';
      },
      { timeoutMs: STARTS_WITHIN_MS },
    );
  };
  try {
    await runCases('HAProxy', haproxyCases, { stage, nodes: null }, entry, {
      ready,
      active: () => activeBehind(stage, entry),
      sharedMs: () => 0,
    });
  } finally {
    await entry.stop();
    await stage.dispose();
  }
}

async function withKeepalived(): Promise<void> {
  const stage = await startStage();
  const nodes = {
    sluice1: new KeepalivedNode(stage, 'sluice1'),
    sluice2: new KeepalivedNode(stage, 'sluice2'),
  };
  const watch = await AddressWatch.start(stage, ['sluice1', 'sluice2']);
  const ready = async (): Promise<void> => {
    await Promise.all(Object.values(nodes).map((node) => node.waitForCheck()));
    await waitUntil('one has the address', () => watch.holders().length === 1);
  };
  try {
    for (const node of Object.values(nodes)) await node.start();
    await runCases('keepalived', keepalivedCases, { stage, nodes }, virtual(stage), {
      ready,
      active: async () => watch.holders()[0] ?? 'sluice1',
      sharedMs: (sinceMs) => watch.sharedMs(sinceMs),
    });
  } finally {
    await Promise.all([...Object.values(nodes).map((node) => node.dispose()), watch.stop()]);
    await stage.dispose();
  }
}

interface Judge {
  readonly ready: () => Promise<void>;
  readonly active: () => Promise<NodeName>;
  /** How long two had the address since then. */
  readonly sharedMs: (sinceMs: number) => number;
}

async function runCases(
  title: string,
  cases: readonly Case[],
  scene: Scene,
  target: Target,
  judge: Judge,
): Promise<void> {
  process.stdout.write(`${title}, ${rounds} rounds each\n`);
  for (const { name, cause, repair } of cases) {
    if (values.case !== undefined && !name.includes(values.case)) continue;
    const outcomes: Outcome[] = [];
    const sharedMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await judge.ready();
      const active = await judge.active();
      const outcome = await underLoad(target, () => cause(scene, active), GOING_WELL_AFTER);
      sharedMs.push(judge.sharedMs(outcome.damage.beganMs));
      outcomes.push(outcome);
      await repair(scene, active);
    }
    process.stdout.write(`${describe(name, outcomes, sharedMs)}\n`);
  }
}

function describe(name: string, outcomes: readonly Outcome[], sharedMs: readonly number[]): string {
  const fresh = outcomes.map((outcome) => outcome.fresh);
  const long = outcomes.map((outcome) => outcome.long);
  return [
    `${name}:`,
    `  new connections ${sum(fresh.map(({ attempts }) => attempts))}`,
    `begun after it and failed ${span(fresh.map(({ failedAfter }) => failedAfter.length))} ${kinds(fresh.flatMap(({ failedAfter }) => failedAfter))}`,
    `caught in their login ${span(fresh.map(({ caught }) => caught.length))} ${kinds(fresh.flatMap(({ caught }) => caught))}`,
    `failing for ${span(fresh.map(({ failingMs }) => failingMs))} ms`,
    `first success after ${span(fresh.map(({ recoveryMs }) => recoveryMs ?? Number.NaN))} ms`,
    `longest success ${span(fresh.map(({ longestMs }) => longestMs))} ms`,
    `  sessions (${LONG_LIVED}) again after ${span(long.map(({ recoveryMs }) => recoveryMs ?? Number.NaN))} ms`,
    `  errors ${kinds(long.flatMap(({ caught, failedAfter }) => [...caught, ...failedAfter]))}`,
    `  two had the address for ${span(sharedMs)} ms`,
  ].join('\n  ');
}

/** The one whose clients become more; a lost host may go on counting some that have gone. */
async function activeBehind(stage: EntryStage, target: Target): Promise<NodeName> {
  const names = ['sluice1', 'sluice2'] as const;
  const counts = (): Promise<number[]> => Promise.all(names.map((name) => stage.clientsOf(name)));
  return await waitUntil('somebody has the connections', async () => {
    const before = await counts();
    const { host, port } = target;
    const connections = await Promise.all(
      names.flatMap((name) => [name, name]).map((name) => stage.sluice(name).connect({ host, port })),
    );
    const after = await counts();
    for (const connection of connections) await connection.end();
    return names.find((_, index) => (after[index] ?? 0) - (before[index] ?? 0) === connections.length);
  });
}

function startStage(): Promise<EntryStage> {
  return EntryStage.start({
    config: { limits: { shutdownDelayMs: SHUTDOWN_DELAY_MS }, log: { level: 'info' } },
  });
}

function virtual(stage: EntryStage): Target {
  return { host: stage.network.spareAddress, port: CLIENT_PORT };
}

function span(numbers: readonly number[]): string {
  const sorted = numbers.map(Math.round).toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return `${sorted[0]}..${middle}..${sorted.at(-1)}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function kinds(errors: readonly string[]): string {
  const counts = Map.groupBy(errors, (error) => error);
  return `{${[...counts].map(([error, all]) => `${error}: ${all.length}`).join(', ')}}`;
}
