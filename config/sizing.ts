/**
 * Settings that nobody has written are made to fit the machine, so that Sluice is not killed for its memory; those that
 * somebody has written stay, and are refused, with the number that they need, where they cannot fit.
 *
 * A setting is worth its `usual` value where all fit. Where they do not, each gives up the same part of what it has over its
 * `least`.
 */
import { MAX_PACKET_BYTES, MAX_WORKERS } from './capacity.ts';
import type { Machine } from './machine.ts';

const MIB = 1_048_576;

/** Measured, `bench/footprint`: what runs always, under load; `docker/guides/sizing.md` says how. */
const MAIN_BYTES = 96 * MIB;
const WORKER_BYTES = 28 * MIB;
/** For the kernel's buffers of sockets, and for what V8 has not collected yet. */
const USABLE = 0.92;
/** Below it, workers are fewer than processors. */
const LEAST_SCALE = 0.08;
/** Processors; with less, checks of servers come too late. */
const LEAST_CPUS = 0.1;

interface Sized {
  readonly path: string;
  readonly usual: number;
  readonly least: number;
  /** Bytes for each of its units. */
  readonly cost: number;
  readonly perWorker: boolean;
}

const SIZED: readonly Sized[] = [
  // Result bytes, and what V8 and malloc leave unused between them.
  { path: 'cache.maxBytes', usual: 64 * MIB, least: 4 * MIB, cost: 1.25, perWorker: false },
  // With TLS, and with its share of what V8 collects late; plain and idle ones take a third.
  { path: 'limits.maxConnections', usual: 10_000, least: 500, cost: 40 * 1024, perWorker: false },
  { path: 'limits.heldBytes', usual: 64 * MIB, least: 4 * MIB, cost: 1, perWorker: true },
  { path: 'limits.maxPreparedBytes', usual: 128 * MIB, least: 8 * MIB, cost: 1, perWorker: true },
  { path: 'limits.digestCacheEntries', usual: 10_000, least: 1000, cost: 4096, perWorker: true },
  { path: 'statistics.digestBytes', usual: 8 * MIB, least: 2 * MIB, cost: 1, perWorker: true },
];

/** A statement is whole in memory; room is kept for one of the least, since one that is longer seldom comes. */
const STATEMENT_SHARE = 1 / 16;
const LEAST_STATEMENT_BYTES = 16 * MIB;
/** Clients that take their answers slowly, at the same time. */
const SLOW_CLIENTS = 16;

/** By path, what holds where nobody has written anything else. */
export type MachineDefaults = Readonly<Record<string, number>>;

function copies({ perWorker }: Sized, workers: number): number {
  return perWorker ? workers : 1;
}

function costOf(workers: number, value: (sized: Sized) => number): number {
  return SIZED.reduce((sum, sized) => sum + value(sized) * sized.cost * copies(sized, workers), 0);
}

function statementBytes({ memoryBytes, memoryIsLimited }: Machine): number {
  if (!memoryIsLimited) return MAX_PACKET_BYTES;
  const share = 2 ** Math.floor(Math.log2(memoryBytes * STATEMENT_SHARE));
  return Math.min(MAX_PACKET_BYTES, Math.max(LEAST_STATEMENT_BYTES, share));
}

/** What somebody has written, by path. */
export type Written = ReadonlyMap<string, number>;
const NOTHING_WRITTEN: Written = new Map();

function writtenAmong(values: Sizeable, isWritten: (path: string) => boolean): Written {
  const paths = SIZED.map(({ path }) => path).filter(isWritten);
  return new Map(paths.map((path) => [path, numberAt(values, path)]));
}

/** How much of what each has over its least there is room for: 1 for all, less than 0 where not even that fits. */
function scaleFor(machine: Machine, workers: number, written: Written = NOTHING_WRITTEN): number {
  const statement = machine.memoryIsLimited ? LEAST_STATEMENT_BYTES : 0;
  const room = machine.memoryBytes * USABLE - MAIN_BYTES - workers * WORKER_BYTES - statement;
  const least = costOf(workers, ({ path, least }) => written.get(path) ?? least);
  const usual = costOf(workers, ({ path, usual }) => written.get(path) ?? usual);
  return usual === least ? 1 : Math.min(1, (room - least) / (usual - least));
}

/** One for each processor, as far as there is memory for them. */
export function fittingWorkers(machine: Machine): number {
  let workers = Math.min(machine.cpus, MAX_WORKERS);
  while (workers > 1 && scaleFor(machine, workers) < LEAST_SCALE) workers--;
  return workers;
}

/** Other descriptors than those of clients. */
function otherFiles(values: Sizeable, workers: number): number {
  const servers = Math.max(LEAST_SERVERS, values.servers.length);
  return FILES_OF_MAIN + FILES_OF_WORKER * workers + servers * values.pool.maxConnections;
}

/** A primary and two replicas, where fewer are named: the others are discovered. */
const LEAST_SERVERS = 3;
const FILES_OF_MAIN = 128;
const FILES_OF_WORKER = 16;
const FEWEST_CLIENTS = 16;

/** The part of a configuration that sizes depend on, or are in. */
export interface Sizeable {
  readonly servers: readonly unknown[];
  readonly pool: { readonly maxConnections: number };
  readonly limits: { readonly maxConnections: number; readonly writeBufferBytes: number };
}

/**
 * @param values of which only those that somebody has written count
 * @param workers that there will be
 */
export function machineDefaults(
  machine: Machine,
  values: Sizeable,
  workers: number,
  isWritten: (path: string) => boolean,
): MachineDefaults {
  const scale = Math.max(0, scaleFor(machine, workers, writtenAmong(values, isWritten)));
  const sizes = SIZED.map(({ path, usual, least }): [string, number] => [
    path,
    Math.floor(least + scale * (usual - least)),
  ]);
  const defaults = Object.fromEntries([...sizes, ['limits.maxPacketBytes', statementBytes(machine)]]);
  const files = machine.openFiles;
  if (files === null) return defaults;
  const clients = Math.max(FEWEST_CLIENTS, files - otherFiles(values, workers));
  return {
    ...defaults,
    'limits.maxConnections': Math.min(defaults['limits.maxConnections'] ?? clients, clients),
  };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / MIB);
}

function numberAt(values: Sizeable, path: string): number {
  const [section = '', key = ''] = path.split('.');
  const found = (values as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section];
  return Number(found?.[key]);
}

export interface FitProblem {
  /** The setting that takes the most of what somebody has written; empty where it is none. */
  readonly path: string;
  readonly message: string;
}

/** @param written whether somebody has */
function memoryProblem(
  machine: Machine,
  values: Sizeable,
  workers: number,
  written: (path: string) => boolean,
): FitProblem | null {
  const slow = SLOW_CLIENTS * values.limits.writeBufferBytes;
  const fixed = MAIN_BYTES + workers * WORKER_BYTES;
  const statement = machine.memoryIsLimited ? LEAST_STATEMENT_BYTES : 0;
  const sum = fixed + statement + costOf(workers, ({ path }) => numberAt(values, path));
  const taken = sum + (written('limits.writeBufferBytes') ? slow : 0);
  const needed = taken / USABLE;
  if (needed <= machine.memoryBytes + MIB) return null;
  const limit = `the limit is ${Math.floor(machine.memoryBytes / MIB)} MiB`;
  const culprits: [string, number][] = SIZED.map((sized) => [
    sized.path,
    numberAt(values, sized.path) * sized.cost * copies(sized, workers),
  ]);
  culprits.push(['workers', workers * WORKER_BYTES], ['limits.writeBufferBytes', slow]);
  const own = culprits.filter(([path]) => written(path)).toSorted(([, a], [, b]) => b - a);
  const parts = own.map(([path, bytes]) => `${path} takes ${mebibytes(bytes)} MiB of it`).join(', ');
  const [first] = own;
  if (first === undefined)
    return { path: '', message: `Sluice needs ${mebibytes(needed)} MiB of memory, ${limit}` };
  return {
    path: first[0],
    message: `with these settings Sluice needs ${mebibytes(needed)} MiB of memory, ${limit}: ${parts}`,
  };
}

function filesProblem(machine: Machine, values: Sizeable, workers: number): FitProblem | null {
  if (machine.openFiles === null) return null;
  const clients = values.limits.maxConnections;
  const others = otherFiles(values, workers);
  const needed = clients + others;
  if (needed <= machine.openFiles) return null;
  const message = `${clients} clients, and ${others} files and connections to servers, need ${needed} open files, the limit is ${machine.openFiles} (ulimit -Hn, LimitNOFILE=)`;
  return { path: 'limits.maxConnections', message };
}

function cpuProblem({ cpuQuota }: Machine): FitProblem | null {
  if (cpuQuota === null || cpuQuota >= LEAST_CPUS) return null;
  const message = `Sluice needs ${LEAST_CPUS} of a processor, the limit is ${Number(cpuQuota.toPrecision(2))}`;
  return { path: '', message };
}

/** Why a configuration cannot run on this machine, a sentence each. */
export function fitProblems(
  machine: Machine,
  values: Sizeable,
  workers: number,
  written: (path: string) => boolean,
): FitProblem[] {
  const memory = machine.memoryIsLimited ? memoryProblem(machine, values, workers, written) : null;
  return [cpuProblem(machine), memory, filesProblem(machine, values, workers)].filter(
    (problem) => problem !== null,
  );
}

export interface WorkerHeap {
  readonly oldGenerationMib: number | null;
  readonly youngGenerationMib: number;
}

/** Enough for V8 never to notice. */
const USUAL_YOUNG_MIB = 12;
const LEAST_HEAP_MIB = 48;
const HEAP_SHARE = 0.5;
/** Where there is less, garbage is collected sooner. */
const SMALL_BYTES = 1024 * MIB;

/** What each worker's heap may take: one that needs more is started again, and not the whole process killed. */
export function workerHeap(machine: Machine, workers: number): WorkerHeap {
  if (!machine.memoryIsLimited) return { oldGenerationMib: null, youngGenerationMib: USUAL_YOUNG_MIB };
  const share = ((machine.memoryBytes - MAIN_BYTES) * HEAP_SHARE) / workers / MIB;
  return {
    oldGenerationMib: Math.max(LEAST_HEAP_MIB, Math.floor(share)),
    youngGenerationMib: machine.memoryBytes < SMALL_BYTES ? 3 : USUAL_YOUNG_MIB,
  };
}

export interface StoreMemory {
  readonly maxMemoryBytes: number;
  readonly maxResultBytes: number;
  readonly maxHeldBytes: number;
}

/** What SQL of operators may take; they come seldom, so that it is not counted above. */
export function storeMemory({ memoryBytes, memoryIsLimited }: Machine): StoreMemory | null {
  if (!memoryIsLimited) return null;
  const atMost = (usualMib: number, leastMib: number, share: number): number =>
    Math.min(usualMib, Math.max(leastMib, Math.floor((memoryBytes * share) / MIB))) * MIB;
  return {
    maxMemoryBytes: atMost(512, 80, 1 / 4),
    maxResultBytes: atMost(64, 4, 1 / 32),
    maxHeldBytes: atMost(128, 8, 1 / 32),
  };
}

/** What holds, by setting, and what there is of memory. */
export function takeSizes(
  values: Sizeable & { readonly workers: number },
  machine: Machine,
): {
  readonly sizes: ReadonlyMap<string, number>;
  readonly memoryLimitBytes: number;
  readonly workerHeapBytes: number | null;
} {
  const paths = [...SIZED.map(({ path }) => path), 'limits.maxPacketBytes', 'pool.maxConnections'];
  const { oldGenerationMib } = workerHeap(machine, values.workers);
  return {
    sizes: new Map([
      ['workers', values.workers],
      ...paths.map((path): [string, number] => [path, numberAt(values, path)]),
    ]),
    memoryLimitBytes: machine.memoryBytes,
    workerHeapBytes: oldGenerationMib === null ? null : oldGenerationMib * MIB,
  };
}
