/** Digests and errors of all workers put together; digests in slices, since there may be very many. */

import { setImmediate as nextTurn } from 'node:timers/promises';

import type { DigestRecord, ErrorRecord } from '../../common/inspection.ts';
import { DIGEST_SCALE } from '../../common/log-linear-scale.ts';
import { ROUTE_SLOTS } from '../../sql/route-reason.ts';

/** A digest of one user in one schema, over all workers. */
export interface DigestRow extends Omit<DigestRecord, 'worker' | 'routeSlot' | 'histogram'> {
  readonly p50Micros: number;
  readonly p95Micros: number;
  readonly p99Micros: number;
  /** Where the last one went, and why. */
  readonly target: string;
  readonly reason: string;
}

/** Records, or rows, of one turn of the event loop: below two milliseconds. */
const SLICE = 500;

interface Sum {
  record: DigestRecord;
  readonly workers: Set<number>;
  readonly steps: Uint32Array;
}

/** @param floors of each worker: so often a digest that it does not know may have come there. */
export async function mergeDigests(
  records: Iterable<DigestRecord>,
  floors: ReadonlyMap<number, number>,
): Promise<DigestRow[]> {
  const sums = new Map<string, Sum>();
  let looked = 0;
  for (const record of records) {
    if (++looked % SLICE === 0) await nextTurn();
    const { hostgroup, schema, username, clientAddress, digest } = record;
    const key = `${digest} ${hostgroup} ${username}\0${schema}\0${clientAddress}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { record, workers: new Set(), steps: new Uint32Array(DIGEST_SCALE.steps) };
      sums.set(key, sum);
    } else sum.record = added(sum.record, record);
    sum.workers.add(record.worker);
    for (let index = 0; index < record.histogram.length; index += 2)
      sum.steps[record.histogram[index]!]! += record.histogram[index + 1]!;
  }
  const rows: DigestRow[] = [];
  for (const sum of sums.values()) {
    if (rows.length % SLICE === SLICE - 1) await nextTurn();
    rows.push(rowOf(sum, floors));
  }
  return rows;
}

function added(a: DigestRecord, b: DigestRecord): DigestRecord {
  return {
    ...a,
    count: a.count + b.count,
    countError: a.countError + b.countError,
    firstSeen: Math.min(a.firstSeen, b.firstSeen),
    lastSeen: Math.max(a.lastSeen, b.lastSeen),
    sumMicros: a.sumMicros + b.sumMicros,
    minMicros: Math.min(a.minMicros, b.minMicros),
    maxMicros: Math.max(a.maxMicros, b.maxMicros),
    waitMicros: a.waitMicros + b.waitMicros,
    rowsAffected: a.rowsAffected + b.rowsAffected,
    rowsSent: a.rowsSent + b.rowsSent,
    bytes: a.bytes + b.bytes,
    errors: a.errors + b.errors,
    routeSlot: b.lastSeen > a.lastSeen ? b.routeSlot : a.routeSlot,
  };
}

function rowOf({ record, workers, steps }: Sum, floors: ReadonlyMap<number, number>): DigestRow {
  const { worker: _, routeSlot, histogram: __, ...rest } = record;
  let countError = rest.countError;
  for (const [worker, floor] of floors) if (!workers.has(worker)) countError += floor;
  // A step is wider than what is known of the ends.
  const within = (share: number): number =>
    Math.round(
      Math.min(rest.maxMicros, Math.max(rest.minMicros, DIGEST_SCALE.percentile(steps, share) ?? 0)),
    );
  const route = ROUTE_SLOTS.find(({ slot }) => slot === routeSlot);
  return {
    ...rest,
    countError,
    p50Micros: within(0.5),
    p95Micros: within(0.95),
    p99Micros: within(0.99),
    target: route?.target ?? '',
    reason: route?.reason ?? '',
  };
}

export function mergeErrors(records: Iterable<ErrorRecord>): ErrorRecord[] {
  const sums = new Map<string, ErrorRecord>();
  for (const record of records) {
    const { hostgroup, server, username, clientAddress, schema, errno } = record;
    const key = `${errno} ${hostgroup} ${server} ${username}\0${schema}\0${clientAddress}`;
    const known = sums.get(key);
    if (known === undefined) {
      sums.set(key, record);
      continue;
    }
    const newer = record.lastSeen > known.lastSeen ? record : known;
    sums.set(key, {
      ...newer,
      count: known.count + record.count,
      firstSeen: Math.min(known.firstSeen, record.firstSeen),
    });
  }
  return [...sums.values()];
}
