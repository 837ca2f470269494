/** The second level of one worker's cache without the rest of Sluice: results that are its name, of one table and digest each. */

import { Capability, Command, ResultsetWriter, StatusFlag } from '../../protocol/index.ts';
import { CacheClass, type Level2Settings } from '../../src/common/cache-settings.ts';
import { WorkerCounter, WorkerCounters } from '../../src/common/shared-counters.ts';
import { TableEpochs } from '../../src/common/table-epochs.ts';
import { tableSlot } from '../../src/common/table-slots.ts';
import { type MakeStore, storeMaker } from '../../src/data/cache/level2/make-store.ts';
import { decodeMembers } from '../../src/data/cache/level2/member-list.ts';
import { SecondLevel, type SharedFill } from '../../src/data/cache/level2/second-level.ts';
import type { SharedStore } from '../../src/data/cache/level2/shared-store.ts';
import { ResultBlocks } from '../../src/data/cache/result-blocks.ts';
import { StoredResult } from '../../src/data/cache/stored-result.ts';
import type { CacheDecision } from '../../src/data/router/caching/cache-decision.ts';
import { MADE_CACHE_SETTINGS } from './made-cache-settings.ts';
import { waitUntil } from './wait-until.ts';

const TICK_MS = 50;
const DECISION: CacheDecision = {
  class: CacheClass.immutable,
  ttlMs: 0,
  staleMs: 0,
  waitMs: 0,
  cacheEmpty: true,
  cacheWarnings: false,
  source: 'test',
  auto: null,
};

export interface SharerOptions extends Partial<Level2Settings> {
  readonly leaseMs?: number;
}

/** What is asked for is of a table and a digest. */
export interface SharedText {
  readonly name: string;
  readonly table?: string;
  readonly digest?: string;
}

/** Nothing can be asked. */
export const UNREADY = 'unready';

export class Sharer {
  readonly level: SecondLevel;
  readonly epochs = new TableEpochs(1);
  readonly log: { readonly message: string; readonly reason: string }[] = [];
  readonly #counters = new WorkerCounters(new Float64Array(512));
  readonly #ticking: NodeJS.Timeout;
  readonly #stores = new Set<SharedStore>();
  #isCut = false;

  private constructor({ leaseMs = 60_000, ...settings }: SharerOptions, make: MakeStore) {
    this.level = new SecondLevel({
      settings: { ...MADE_CACHE_SETTINGS.level2, timeoutMs: 5000, ...settings },
      make: (endpoints, prefix, handlers) => {
        const store = make(endpoints, prefix, handlers);
        this.#stores.add(store);
        // Of a process that has ended nobody hears anything.
        if (this.#isCut) store.connect = () => new Promise(() => {});
        return store;
      },
      positions: { seenBy: () => '', isEnough: () => false },
      epochs: this.epochs,
      counters: this.#counters,
      log: (_level, message, { reason }) => this.log.push({ message, reason: String(reason) }),
      leaseMs,
    });
    this.#ticking = setInterval(() => {
      if (!this.#isCut) this.level.tick();
    }, TICK_MS);
  }

  static async start(options: SharerOptions): Promise<Sharer> {
    const settings = { ...MADE_CACHE_SETTINGS.level2, ...options };
    return new Sharer(options, await storeMaker(settings));
  }

  /** Of `kind` at these servers, when it is ready. */
  static async ready(options: SharerOptions): Promise<Sharer> {
    const sharer = await Sharer.start(options);
    await sharer.untilReady();
    return sharer;
  }

  async untilReady(): Promise<void> {
    await waitUntil('it is ready', () => this.#note({ name: 'ready' }) !== null);
  }

  /** All of its servers, as far as one can tell by what lies where. */
  async untilAllReady(): Promise<void> {
    const names = Array.from({ length: 100 }, (_, index) => ({ name: `ready ${index}` }));
    await waitUntil('all are ready', () => names.every((text) => this.#note(text) !== null));
  }

  errors(): number {
    return this.#counters.get(WorkerCounter.level2Errors);
  }

  timeouts(): number {
    return this.#counters.get(WorkerCounter.level2Timeouts);
  }

  /** What is known when its read is sent. */
  noted(text: SharedText): SharedFill {
    const shared = this.#note(text);
    if (shared === null) throw new Error('nothing is shared now');
    return shared;
  }

  /** Its answer is there. */
  putNoted({ name }: SharedText, shared: SharedFill): void {
    this.level.put(shared, { result: resultOf(name), serverMs: 1 }, 0);
  }

  /** As if a server had answered, and this were its answer. @returns false if it cannot be shared now */
  put(text: SharedText): boolean {
    const shared = this.#note(text);
    if (shared === null) return false;
    this.putNoted(text, shared);
    return true;
  }

  /** Its answer when it is there, null if there is none, `UNREADY`. */
  async get(text: SharedText): Promise<string | null> {
    const shared = this.#note(text);
    if (shared === null) return UNREADY;
    return await new Promise((resolve) => {
      this.level.ask(shared, DECISION, (value) => {
        resolve(value === null ? null : nameIn(value.packets));
      });
    });
  }

  /** Until it is there to be taken. */
  async share(...texts: readonly SharedText[]): Promise<void> {
    for (const text of texts)
      await waitUntil(`${text.name} is there`, async () => {
        this.put(text);
        return (await this.get(text)) === text.name;
      });
  }

  async untilFlushed(): Promise<void> {
    await waitUntil('it is flushed', () => this.level.pendingFlushes === 0);
  }

  /** Who uses the server, as it says. */
  async members(): Promise<readonly string[]> {
    const [store] = this.#stores;
    const [bytes = null] = (await store?.readAll(['sluice:members'])) ?? [];
    return (store === undefined ? null : decodeMembers(bytes, store.incarnation)) ?? [];
  }

  /** As if the server had made room. */
  async remove(key: string): Promise<void> {
    for (const store of this.#stores) await store.remove(key);
  }

  /** Its process ends, without a word. */
  cut(): void {
    this.#isCut = true;
    for (const store of this.#stores) store.close();
  }

  async dispose(): Promise<void> {
    clearInterval(this.#ticking);
    await this.level.close();
  }

  #note({ name, table = 't', digest = 'd' }: SharedText): SharedFill | null {
    const parts = {
      server: 'test',
      scope: '',
      command: Command.COM_QUERY,
      digest: Buffer.from(digest),
      prepared: null,
      rest: Buffer.from(name),
    };
    return this.level.note(parts, DECISION, Int32Array.of(tableSlot('app', table)));
  }
}

function resultOf(name: string): StoredResult {
  const statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
  const terms = { capabilities: Capability.CLIENT_PROTOCOL_41, statusFlags, warnings: 0, sequenceId: 1 };
  const writer = new ResultsetWriter([{ name: 'a' }], terms);
  writer.row([`<${name}>`]);
  writer.end();
  const result = StoredResult.of(writer.take(), false, new ResultBlocks());
  if (result === null) throw new Error('it is no result');
  return result;
}

function nameIn(packets: Buffer): string {
  return /<(.*)>/.exec(packets.toString('latin1'))?.[1] ?? '';
}
