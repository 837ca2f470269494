/**
 * Real servers, a Sluice with two workers in front of them, and sessions that write and read through it; every read is
 * held against what it may show. See `model/` for what that is.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseServer } from '../support/database-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { CheckerOptions } from './checker-options.ts';
import { type CheckerReport, reportOf } from './checker-report.ts';
import { HotReads, Reader } from './driver/reader.ts';
import { Session } from './driver/session.ts';
import { World } from './driver/world.ts';
import { Writer } from './driver/writer.ts';
import type { Chain } from './model/chain.ts';
import { operationLine } from './model/operation-log.ts';
import { Stage } from './stage.ts';

const HOT_READS = 40;
/** Longer than any lock wait. */
const ANSWERED_WITHIN_MS = 30_000;

export async function runChecker(options: CheckerOptions): Promise<CheckerReport> {
  const world = new World(new SeededRandom(options.seed));
  const stage = await Stage.start(world, options);
  try {
    await runSessions(stage, options);
    await checkEnd(stage);
    return await reportOf(world, stage.sluice, options);
  } finally {
    await stage.dispose();
  }
}

async function runSessions(stage: Stage, options: CheckerOptions): Promise<void> {
  const { world } = stage;
  const writers = await startWriters(stage, options);
  const readers = await startReaders(stage, options);
  const endsAt = performance.now() + options.seconds * 1000;
  const goesOn = (): boolean => world.history.log.count < options.operations && performance.now() < endsAt;
  const disturbing =
    options.holdUpMs > 0 ? stage.replicas.map((one) => holdUp(one, options.holdUpMs, goesOn)) : [];
  const loop = async (one: { step(): Promise<void> }): Promise<void> => {
    while (goesOn()) await one.step();
  };
  const sessions = Promise.all([...[...writers, ...readers].map(loop), ...disturbing]);
  await orHung(sessions, endsAt - performance.now() + ANSWERED_WITHIN_MS, world);
  for (const { session } of [...writers, ...readers]) session.close();
}

async function startWriters(stage: Stage, options: CheckerOptions): Promise<Writer[]> {
  const { world, ownGate, otherGate } = stage;
  const writers = Array.from({ length: options.writers }, (_, n) => {
    const gate = otherGate !== null && n % 2 === 1 ? otherGate : ownGate;
    const givesTokens = gate.name === 'direct';
    const session = new Session(`writer ${n}`, world, gate, world.random.fork(n), givesTokens);
    return new Writer(session, { ...options, asRoot: (sql) => stage.asRoot(sql), givesTokens });
  });
  for (const writer of writers) await writer.start();
  return writers;
}

async function startReaders(stage: Stage, options: CheckerOptions): Promise<Reader[]> {
  const { world, ownGate, otherGate } = stage;
  const hot = new HotReads(world, HOT_READS);
  const boundMs = (chain: Chain, gate: string): number =>
    Math.max(options.boundMs, chain.gate === gate ? 0 : options.foreignBoundMs);
  const readers = Array.from({ length: options.readers }, (_, n) => {
    const gate = otherGate?.name === 'second' && n % 4 === 3 ? otherGate : ownGate;
    const session = new Session(`reader ${n}`, world, gate, world.random.fork(1000 + n));
    return new Reader(session, hot, { boundMs, breaks: options.disturbances > 0 });
  });
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

/** A read lock lets nothing be applied, and everything be read. */
async function holdUp(replica: DatabaseServer, holdUpMs: number, goesOn: () => boolean): Promise<void> {
  const lock = await replica.rootConnection();
  while (goesOn()) {
    await lock.query('FLUSH TABLES WITH READ LOCK');
    await delay(Math.random() * holdUpMs);
    await lock.query('UNLOCK TABLES');
    await delay(Math.random() * holdUpMs);
  }
  await lock.end();
}

/** What was acknowledged is there when all is over; no write is lost. */
async function checkEnd(stage: Stage): Promise<void> {
  const { history } = stage.world;
  for (const table of ['a', 'p', 'm', 'b', 'c', 'd', 'e', 'u']) {
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
