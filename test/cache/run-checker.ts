/**
 * Real servers, a Sluice with two workers in front of them, and sessions that write and read through it; every read is
 * held against what it may show. See `model/` for what that is.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../support/seeded-random.ts';
import type { CheckerOptions } from './checker-options.ts';
import { type CheckerReport, reportOf } from './checker-report.ts';
import { HotReads, Reader } from './driver/reader.ts';
import { SHARED_TABLES } from './driver/schema.ts';
import { Session } from './driver/session.ts';
import { World } from './driver/world.ts';
import { Writer } from './driver/writer.ts';
import { switchOver } from './legs/change-primary.ts';
import { Course } from './legs/course.ts';
import { crashWorker } from './legs/crash-worker.ts';
import { failOver } from './legs/fail-over.ts';
import { handOver } from './legs/hand-over.ts';
import { holdUp } from './legs/hold-up.ts';
import { operate } from './legs/operate.ts';
import { restartSecondLevel } from './legs/second-level.ts';
import type { Chain } from './model/chain.ts';
import { operationLine } from './model/operation-log.ts';
import { readyOwners, Stage } from './stage.ts';

const HOT_READS = 40;
/** Longer than any lock wait. */
const ANSWERED_WITHIN_MS = 30_000;

export async function runChecker(options: CheckerOptions): Promise<CheckerReport> {
  if (options.flavor === 'mysql' && options.failovers > options.replicas)
    throw new Error(
      'each primary that dies with writes of its own is kept out: there are not enough replicas',
    );
  // What was rolled back has moved the counter of its server only.
  const makesKeys = options.switchovers + options.failovers === 0;
  const world = new World(new SeededRandom(options.seed), options.pinned, makesKeys);
  const stage = await Stage.start(world, options);
  try {
    const course = await runSessions(stage, options);
    await checkEnd(stage);
    return await reportOf(stage, options, course.happened);
  } finally {
    await stage.dispose();
  }
}

async function runSessions(stage: Stage, options: CheckerOptions): Promise<Course> {
  const { world } = stage;
  const writers = await startWriters(stage, options);
  const readers = await startReaders(stage, options, writers);
  const course = new Course(world.history, options.operations, options.seconds);
  const loop = async (one: { step(): Promise<void> }): Promise<void> => {
    while (course.goesOn) await one.step();
  };
  const all = [...[...writers, ...readers].map(loop), ...happenings(stage, options, course)];
  await orHung(Promise.all(all), course.leftMs + ANSWERED_WITHIN_MS, world);
  for (const { session } of [...writers, ...readers]) session.close();
  for (const { watch } of writers) watch?.aside.session.close();
  return course;
}

async function startWriters(stage: Stage, options: CheckerOptions): Promise<Writer[]> {
  const { world, ownGate, otherGate } = stage;
  const writers = Array.from({ length: options.writers }, (_, n) => {
    const gate = otherGate !== null && n % 2 === 1 ? otherGate : ownGate;
    const givesTokens = gate.name === 'direct';
    const session = new Session(`writer ${n}`, world, gate, world.random.fork(n), givesTokens);
    const asRoot = (sql: string) => stage.asRoot(sql);
    return new Writer(session, { ...options, asRoot, givesTokens, readyOwners: readyOwners(options) });
  });
  for (const writer of writers) await writer.start();
  return writers;
}

async function startReaders(
  stage: Stage,
  options: CheckerOptions,
  writers: readonly Writer[],
): Promise<Reader[]> {
  const { world, ownGate, otherGate } = stage;
  const hot = new HotReads(world, HOT_READS);
  const boundMs = (chain: Chain, gate: string): number =>
    Math.max(options.boundMs, chain.gate === gate ? 0 : options.foreignBoundMs);
  const readers = Array.from({ length: options.readers }, (_, n) => {
    const gate = otherGate?.name === 'second' && n % 4 === 3 ? otherGate : ownGate;
    const session = new Session(`reader ${n}`, world, gate, world.random.fork(1000 + n));
    return new Reader(session, hot, {
      boundMs,
      onlyAcknowledged: options.replicas > 0,
      breaks: options.disturbances > 0,
    });
  });
  const patient = { boundMs, onlyAcknowledged: options.replicas > 0, breaks: false };
  for (const [n, writer] of writers.entries()) {
    if (writer.session.gate !== ownGate) continue;
    const aside = new Reader(
      new Session(`watcher ${n}`, world, ownGate, world.random.fork(2000 + n)),
      hot,
      patient,
    );
    await aside.session.connect();
    writer.watch = { own: new Reader(writer.session, hot, patient), aside };
  }
  for (const { session } of readers) await session.connect();
  return readers;
}

/** A statement that is never answered must not hold up the run for ever: it is what the run has found. */
async function orHung(sessions: Promise<unknown>, timeoutMs: number, world: World): Promise<void> {
  const ended = new AbortController();
  const hung = delay(timeoutMs, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`never answered:\n${world.history.log.unanswered().map(operationLine).join('\n')}`);
  });
  try {
    await Promise.race([sessions, hung]);
  } finally {
    ended.abort();
  }
}

/** What happens beside reads and writes, at the same time. */
function happenings(stage: Stage, options: CheckerOptions, course: Course): Promise<void>[] {
  const { holdUpMs, operatorMs } = options;
  const heldUp = holdUpMs > 0 ? stage.set.servers : [];
  return [
    ...heldUp.map((server) => holdUp(stage, server, holdUpMs, course)),
    course.spread('switchovers', options.switchovers, () => switchOver(stage)),
    course.spread('failovers', options.failovers, () => failOver(stage)),
    course.spread('workerCrashes', options.workerCrashes, () => crashWorker(stage)),
    course.spread('level2Restarts', options.level2Restarts, () => restartSecondLevel(stage)),
    course.spread('handovers', options.handovers, () => handOver(stage, course)),
    operatorMs > 0 ? operate(stage, course, operatorMs) : Promise.resolve(),
  ];
}

/** What was acknowledged is there when all is over; no write is lost. */
async function checkEnd(stage: Stage): Promise<void> {
  const { history } = stage.world;
  for (const table of SHARED_TABLES) {
    const startedAt = history.now();
    const rows = await stage.asRoot(`SELECT id, n FROM app.${table}`);
    const values = new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
    for (const cell of stage.world.cellsOf(table)) {
      const stamp = values.get(Number(cell.name.split(':')[1])) ?? null;
      const observations = [{ cell, stamp }];
      history.read({ startedAt, endedAt: history.now(), observations, boundMs: () => 0 }, null);
    }
  }
}
