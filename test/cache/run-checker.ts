/**
 * Real servers, a Sluice with two workers in front of them, and sessions that write and read through it; every read is
 * held against what it may show. See `model/` for what that is.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer } from '../support/database-server.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../support/replication-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type ConfigObject, mergeConfig, SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type CheckerReport, reportOf } from './checker-report.ts';
import type { Endpoint } from './driver/checker-connection.ts';
import type { Gate } from './driver/gate.ts';
import { HotReads, Reader } from './driver/reader.ts';
import { schemaStatements } from './driver/schema.ts';
import { Session } from './driver/session.ts';
import { World } from './driver/world.ts';
import { Writer } from './driver/writer.ts';
import type { Chain } from './model/chain.ts';
import { operationLine } from './model/operation-log.ts';

/** Where writes that the first Sluice does not see come from. */
export type Foreign = 'none' | 'direct' | 'second';

export interface CheckerOptions {
  readonly flavor: ServerFlavor;
  readonly replicas: number;
  readonly seed: number;
  /** Reads and statements of writers; the run ends with the first of both limits. */
  readonly operations: number;
  readonly seconds: number;
  readonly writers: number;
  readonly readers: number;
  readonly foreign: Foreign;
  /** For every Sluice, e.g. its cache. */
  readonly config: ConfigObject;
  /** How old anything may be: that of a weak rule; 0 for strong. */
  readonly boundMs: number;
  /** How old what comes around Sluice may be. */
  readonly foreignBoundMs: number;
  /** Of each hundred steps of a writer, how many break a connection or a statement. */
  readonly disturbances: number;
  /** Every other step of a writer is followed by a pause of up to so long: what is always written is never cached. */
  readonly pauseMs: number;
  /** Replicas apply nothing for up to so long, again and again; 0: never. */
  readonly holdUpMs: number;
}

const HOT_READS = 40;
/** Longer than any lock wait. */
const ANSWERED_WITHIN_MS = 30_000;
const STARTED_WITHIN_MS = 30_000;

interface Stage {
  readonly set: ReplicationSet;
  readonly sluices: readonly SluiceProcess[];
  readonly world: World;
}

export async function runChecker(options: CheckerOptions): Promise<CheckerReport> {
  const world = new World(new SeededRandom(options.seed));
  const set = new ReplicationSet({
    flavor: options.flavor,
    replicas: options.replicas,
    sql: schemaStatements(),
    args: ['--log-bin-trust-function-creators=1', '--innodb-buffer-pool-size=64M'],
  });
  const sluices: SluiceProcess[] = [];
  try {
    await set.start();
    const count = options.foreign === 'second' ? 2 : 1;
    for (let n = 0; n < count; n++) sluices.push(await startSluice(set, options.config));
    const stage = { set, sluices, world };
    await runSessions(stage, options);
    await checkEnd(stage);
    return await reportOf(world, sluices[0]!, options);
  } finally {
    for (const sluice of sluices) await sluice.dispose();
    await set.dispose();
  }
}

async function startSluice(set: ReplicationSet, config: ConfigObject): Promise<SluiceProcess> {
  const base = { workers: 2, log: { level: 'info' }, pool: { maxConnections: 60 } };
  const sluice = await SluiceProcess.startFor(set, { config: mergeConfig(base, config) });
  const connection = await sluice.connect();
  if (set.replicas.length > 0)
    await waitUntil(
      'reads come from a replica',
      async () => {
        const [rows] = await connection.query<never[]>(
          'SELECT @@server_id AS id FROM a RIGHT JOIN (SELECT 1) AS one ON 1 = 0',
        );
        return Number((rows[0] as { id: number } | undefined)?.id) !== set.primary.serverId;
      },
      { timeoutMs: STARTED_WITHIN_MS },
    );
  await connection.end();
  return sluice;
}

function gatesOf(
  { set, sluices }: Stage,
  { flavor, foreign }: CheckerOptions,
): { own: Gate; other: Gate | null } {
  const at = (port: number): Endpoint => ({
    host: '127.0.0.1',
    port,
    account: APP_ACCOUNT,
    database: APP_SCHEMA,
  });
  const own = { name: 'own', endpoint: at(sluices[0]!.port), flavor };
  if (foreign === 'none') return { own, other: null };
  const port = foreign === 'direct' ? set.primary.port : sluices[1]!.port;
  return { own, other: { name: foreign, endpoint: at(port), flavor } };
}

async function runSessions(stage: Stage, options: CheckerOptions): Promise<void> {
  const { world, set } = stage;
  const { own, other } = gatesOf(stage, options);
  const asRoot = (sql: string) => set.primary.query(sql);
  const writers = Array.from({ length: options.writers }, (_, n) => {
    const gate = other !== null && n % 2 === 1 ? other : own;
    const givesTokens = gate.name === 'direct';
    const session = new Session(`writer ${n}`, world, gate, world.random.fork(n), givesTokens);
    return new Writer(session, { ...options, asRoot, givesTokens });
  });
  for (const writer of writers) await writer.start();
  const hot = new HotReads(world, HOT_READS);
  const boundMs = (chain: Chain, gate: string): number =>
    Math.max(options.boundMs, chain.gate === gate ? 0 : options.foreignBoundMs);
  const readers = Array.from({ length: options.readers }, (_, n) => {
    const gate = other?.name === 'second' && n % 4 === 3 ? other : own;
    const session = new Session(`reader ${n}`, world, gate, world.random.fork(1000 + n));
    return new Reader(session, hot, { boundMs, breaks: options.disturbances > 0 });
  });
  for (const { session } of readers) await session.connect();
  const endsAt = performance.now() + options.seconds * 1000;
  const goesOn = (): boolean => world.history.log.count < options.operations && performance.now() < endsAt;
  const disturbing =
    options.holdUpMs > 0 ? set.replicas.map((one) => holdUp(one, options.holdUpMs, goesOn)) : [];
  const loop = async (one: { step(): Promise<void> }): Promise<void> => {
    while (goesOn()) await one.step();
  };
  const sessions = Promise.all([...[...writers, ...readers].map(loop), ...disturbing]);
  await orHung(sessions, endsAt - performance.now() + ANSWERED_WITHIN_MS, world);
  for (const { session } of [...writers, ...readers]) session.close();
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
async function checkEnd({ set, world }: Stage): Promise<void> {
  const { history } = world;
  for (const table of ['a', 'p', 'm', 'b', 'c', 'd', 'e', 'u']) {
    const startedAt = history.now();
    const rows = await set.primary.query<{ id: number; n: number }>(`SELECT id, n FROM app.${table}`);
    const values = new Map(rows.map(({ id, n }) => [id, Number(n)]));
    for (const cell of world.cellsOf(table)) {
      const stamp = values.get(Number(cell.name.split(':')[1])) ?? null;
      const observations = [{ cell, stamp }];
      history.read({ startedAt, endedAt: history.now(), observations, boundMs: () => 0 }, null);
    }
  }
}
