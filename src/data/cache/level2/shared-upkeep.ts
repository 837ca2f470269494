/**
 * What one worker does at a server of the second level beside reading and writing results, over one connection: it is one of the
 * members, and writes down what was flushed.
 *
 * A flush that cannot be written, because the server is not reached, would be forgotten if the worker ended then. So every member
 * holds a lease, and whoever finds one that has run out flushes everything in the other's place. Who ends and has nothing left to
 * write takes itself off the list. Somebody who finds nobody there flushes as well: nobody has looked after what lies there.
 *
 * The record is always changed before the list is: who is on the list, or is not any more, has been heard.
 */

import { FlushRecord, type FlushSubject } from './flush-record.ts';
import { decodeMembers, encodeMembers } from './member-list.ts';
import type { PendingFlushes } from './pending-flushes.ts';
import type { SharedStore } from './shared-store.ts';

/** Of others who do the same at this moment, one succeeds each time. */
const MAX_TRIES = 200;

export interface SharedUpkeepOptions {
  readonly store: SharedStore;
  readonly prefix: string;
  readonly recordKey: string;
  readonly leaseMs: number;
  /** This worker's. */
  readonly id: string;
  readonly pending: PendingFlushes;
  /** Whether the server has shown a later one before. */
  readonly isOutdated: (record: FlushRecord) => boolean;
  /** What is in force now; null: nothing can be, until a record can be written. */
  readonly learned: (record: FlushRecord | null) => void;
}

export function recordKeyOf(prefix: string): string {
  return `${prefix}:flushed`;
}

export class SharedUpkeep {
  readonly #membersKey: string;
  readonly #options: SharedUpkeepOptions;
  readonly #store: SharedStore;

  constructor(options: SharedUpkeepOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#membersKey = `${options.prefix}:members`;
  }

  /** Until it is on the list, and has written what was to be flushed. */
  async join(): Promise<void> {
    const { id, pending, leaseMs } = this.#options;
    await this.#store.put(this.#leaseOf(id), Buffer.from(id), leaseMs);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [bytes = null] = await this.#store.readAll([this.#membersKey]);
      const members = decodeMembers(bytes, this.#store.incarnation);
      const others = (members ?? []).filter((one) => one !== id);
      const alive = await this.#aliveOf(others);
      const isLookedAfter = others.length > 0 || members?.includes(id) === true;
      if (!isLookedAfter || alive.length < others.length) pending.add(null);
      await this.repair();
      if (await this.#changeMembers(bytes, [...alive, id])) return;
    }
    throw new Error('others change the list of its users all the time');
  }

  /** The lease is good for a while more; nobody's has run out. */
  async renew(): Promise<void> {
    const { id, pending, leaseMs } = this.#options;
    const isHeld = await this.#store.renew(this.#leaseOf(id), leaseMs);
    const [bytes = null] = await this.#store.readAll([this.#membersKey]);
    const members = decodeMembers(bytes, this.#store.incarnation);
    if (!isHeld || members?.includes(id) !== true) {
      await this.join();
      return;
    }
    const others = members.filter((one) => one !== id);
    const alive = await this.#aliveOf(others);
    if (alive.length < others.length) pending.add(null);
    await this.repair();
    if (alive.length < others.length) await this.#changeMembers(bytes, [...alive, id]);
  }

  /** There is a record, which says what this worker has flushed. */
  async repair(): Promise<void> {
    const { pending, isOutdated, learned } = this.#options;
    const order = pending.order;
    const { incarnation } = this.#store;
    let now: FlushRecord | null = null;
    const isWritten = await this.#changeRecord((old) => {
      const known = old === null ? null : FlushRecord.decode(old);
      const isGood = known?.incarnation.equals(incarnation) === true && !isOutdated(known);
      now = isGood ? flushed(known, order.subjects) : FlushRecord.anew(incarnation);
      return now === known ? null : now.encode();
    });
    pending.written(order);
    learned(isWritten ? now : null);
  }

  /** It has nothing to flush, and will not have. */
  async leave(): Promise<void> {
    const { id, pending } = this.#options;
    for (let tries = 0; tries < MAX_TRIES && pending.isEmpty; tries++) {
      const [bytes = null] = await this.#store.readAll([this.#membersKey]);
      const members = decodeMembers(bytes, this.#store.incarnation);
      if (members === null) return;
      const others = members.filter((one) => one !== id);
      if (!(await this.#changeMembers(bytes, others))) continue;
      await this.#store.remove(this.#leaseOf(id));
      return;
    }
  }

  /** @returns false if it could only be removed: nothing that is there is good then, which flushes it as well. */
  async #changeRecord(make: (old: Buffer | null) => Buffer | null): Promise<boolean> {
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++)
        if (await this.#store.change(this.#options.recordKey, make)) return true;
    } catch {
      // A server whose memory is full takes nothing, but removes.
    }
    await this.#store.remove(this.#options.recordKey);
    return false;
  }

  /** @param bytes as it was read; somebody else may have changed it. */
  #changeMembers(bytes: Buffer | null, ids: readonly string[]): Promise<boolean> {
    const wanted = encodeMembers(this.#store.incarnation, ids);
    let isSame = false;
    return this.#store
      .change(this.#membersKey, (old) => {
        isSame = old === null || bytes === null ? old === bytes : old.equals(bytes);
        return isSame ? wanted : null;
      })
      .then((isChanged) => isChanged && isSame);
  }

  async #aliveOf(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const leases = await this.#store.readAll(ids.map((id) => this.#leaseOf(id)));
    return ids.filter((_id, index) => (leases[index] ?? null) !== null);
  }

  #leaseOf(id: string): string {
    return `${this.#options.prefix}:lease:${id}`;
  }
}

function flushed(record: FlushRecord, subjects: readonly FlushSubject[] | null): FlushRecord {
  if (subjects === null) return FlushRecord.anew(record.incarnation);
  return subjects.length === 0 ? record : record.flushing(subjects);
}
