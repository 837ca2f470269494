/** The jobs themselves. Each gives its result when its time is over or `finish` resolves. */

import { setTimeout as delay } from 'node:timers/promises';
import type { SysbenchEndpoint } from '../sysbench.ts';
import { Latencies } from './latencies.ts';
import { LoadConnection, queryPacket } from './load-connection.ts';
import type { LoadJob, LoadResult } from './load-job.ts';
import { PreparingConnection } from './preparing-connection.ts';

export interface JobControl {
  /** Resolves when the bench says that it is enough. */
  readonly finish: Promise<void>;
  /** Tells the bench that the state which it wants to measure is reached. */
  readonly reached: () => void;
}

/** Handshakes under way at the same time while thousands of idle clients are made. */
const CONNECTING_AT_ONCE = 32;
const SELECT_ONE = queryPacket('SELECT 1');

export function runJob(job: LoadJob, control: JobControl): Promise<LoadResult> {
  switch (job.kind) {
    case 'churn':
      return churn(job.endpoint, job.clients, job.seconds);
    case 'idle':
      return idle(job.endpoint, job.clients, control);
    case 'bigResult':
      return bigResult(job);
    case 'flood':
      return flood(job);
    case 'prepares':
      return prepares(job, control);
    case 'steady':
      return steady(job, control);
  }
}

function execute(connection: LoadConnection, packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.execute(packet, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Runs `count` loops side by side; the first error ends the job. */
async function sideBySide(count: number, loop: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => loop(index)));
}

async function churn(endpoint: SysbenchEndpoint, clients: number, seconds: number): Promise<LoadResult> {
  const latencies = new Latencies();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  await sideBySide(clients, async () => {
    while (performance.now() < endsAt) {
      const from = performance.now();
      const connection = await LoadConnection.open(endpoint);
      await execute(connection, SELECT_ONE);
      await connection.close();
      latencies.add(performance.now() - from);
    }
  });
  return resultOf(latencies, startedAt, 0);
}

async function idle(endpoint: SysbenchEndpoint, clients: number, control: JobControl): Promise<LoadResult> {
  const latencies = new Latencies();
  const startedAt = performance.now();
  const open: LoadConnection[] = [];
  let opened = 0;
  await sideBySide(CONNECTING_AT_ONCE, async () => {
    while (opened < clients) {
      opened++;
      const from = performance.now();
      const connection = await LoadConnection.open(endpoint);
      await execute(connection, SELECT_ONE);
      latencies.add(performance.now() - from);
      open.push(connection);
    }
  });
  const result = resultOf(latencies, startedAt, 0);
  control.reached();
  await control.finish;
  // A connection that was lost meanwhile fails here: idle clients must stay connected.
  for (const connection of open) await execute(connection, SELECT_ONE);
  await Promise.all(open.map((connection) => connection.close()));
  return result;
}

async function bigResult(job: Extract<LoadJob, { kind: 'bigResult' }>): Promise<LoadResult> {
  const connection = await LoadConnection.open(job.endpoint);
  const latencies = new Latencies();
  let bytes = 0;
  let stalled = false;
  connection.onBytes((count) => {
    bytes += count;
    if (job.stallMs > 0 && !stalled && bytes >= job.stallAfterBytes) {
      stalled = true;
      connection.pause();
      setTimeout(() => connection.resume(), job.stallMs);
    }
  });
  const startedAt = performance.now();
  await connection.query(job.sql);
  latencies.add(performance.now() - startedAt);
  const result = resultOf(latencies, startedAt, bytes);
  await connection.close();
  return result;
}

async function flood(job: Extract<LoadJob, { kind: 'flood' }>): Promise<LoadResult> {
  const latencies = new Latencies();
  const startedAt = performance.now();
  const endsAt = startedAt + job.maxSeconds * 1000;
  let next = 0;
  await sideBySide(job.clients, async () => {
    const connection = await LoadConnection.open(job.endpoint);
    while (next < job.statements && performance.now() < endsAt) {
      const packet = queryPacket(neverSeenStatement(next++, job.rows));
      const from = performance.now();
      await execute(connection, packet);
      latencies.add(performance.now() - from);
    }
    await connection.close();
  });
  return resultOf(latencies, startedAt, 0);
}

/** The connections stay open until `finish`, so that what they have left can be counted. */
async function prepares(
  job: Extract<LoadJob, { kind: 'prepares' }>,
  control: JobControl,
): Promise<LoadResult> {
  const latencies = new Latencies();
  const startedAt = performance.now();
  let next = 0;
  const connections: PreparingConnection[] = [];
  await sideBySide(job.clients, async () => {
    const connection = await PreparingConnection.open(job.endpoint);
    connections.push(connection);
    while (next < job.statements) {
      const number = job.firstNumber + next++;
      const from = performance.now();
      await connection.once(`SELECT c AS column_${number} FROM sbtest1 WHERE id = 1`);
      latencies.add(performance.now() - from);
    }
  });
  const result = resultOf(latencies, startedAt, 0);
  control.reached();
  await control.finish;
  for (const connection of connections) connection.destroy();
  return result;
}

/** Two statements with different numbers differ in an identifier, so they have different digests. */
export function neverSeenStatement(number: number, rows: number): string {
  const id = 1 + (number % rows);
  return (
    `SELECT c AS column_${number}, LENGTH(pad) AS bytes FROM sbtest1 AS t${number % 997} ` +
    `WHERE id = ${id} AND k >= 0 ORDER BY column_${number} LIMIT 1`
  );
}

async function steady(job: Extract<LoadJob, { kind: 'steady' }>, control: JobControl): Promise<LoadResult> {
  const latencies = new Latencies();
  let finished = false;
  void control.finish.then(() => {
    finished = true;
  });
  const connections: LoadConnection[] = [];
  for (let index = 0; index < job.clients; index++) connections.push(await LoadConnection.open(job.endpoint));
  const startedAt = performance.now();
  control.reached();
  await sideBySide(job.clients, async (index) => {
    const connection = connections[index]!;
    for (let round = 0; !finished; round++) {
      const id = 1 + ((index * 7919 + round) % job.rows);
      const packet = queryPacket(`SELECT c FROM sbtest1 WHERE id=${id}`);
      const from = performance.now();
      await execute(connection, packet);
      latencies.add(performance.now() - from);
      await delay(job.thinkMs);
    }
    await connection.close();
  });
  return resultOf(latencies, startedAt, 0);
}

function resultOf(latencies: Latencies, startedAt: number, bytes: number): LoadResult {
  return {
    operations: latencies.count,
    seconds: (performance.now() - startedAt) / 1000,
    bytes,
    latency: latencies.summary(),
  };
}
