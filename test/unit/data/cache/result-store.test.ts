/** The store of one worker: its bound, and what it tells of entries that go. */

import t from 'tap';
import { Capability, ResultsetWriter, StatusFlag } from '../../../../protocol/index.ts';
import { ResultBlocks } from '../../../../src/data/cache/result-blocks.ts';
import {
  type CacheEntry,
  ENTRY_OVERHEAD_BYTES,
  type EntryEnd,
  ResultStore,
} from '../../../../src/data/cache/result-store.ts';
import { StoredResult } from '../../../../src/data/cache/stored-result.ts';
import { DigestTally } from '../../../../src/data/router/caching/digest-tally.ts';

const blocks = new ResultBlocks();
const statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;

function result(text: string): StoredResult {
  const capabilities = Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_DEPRECATE_EOF;
  const writer = new ResultsetWriter([{ name: 'a' }], {
    capabilities,
    statusFlags,
    warnings: 0,
    sequenceId: 1,
  });
  writer.row([text]);
  writer.end();
  const stored = StoredResult.of(writer.take(), true, blocks);
  if (stored === null) throw new Error('not stored');
  return stored;
}

function tallyOf(hashLow: number): DigestTally {
  return new DigestTally({ normalized: Buffer.from('x'), hashLow, hashHigh: 0 });
}

function entry(text: string, hashLow = 1, tally = tallyOf(hashLow)): CacheEntry {
  return {
    result: result(text),
    tally,
    proof: null,
    slots: new Int32Array(0),
    structure: 0,
    readAtMs: 0,
    serverMs: 0,
    isRefreshing: false,
    size: 0,
  };
}

/** What an entry with a key of one byte counts. */
const SIZE = ENTRY_OVERHEAD_BYTES + 1 + result('x').byteLength;

t.test('what was used longest ago goes when there is no more room', (t) => {
  const ends: [string, EntryEnd][] = [];
  const store = new ResultStore(3 * SIZE, ({ result }, why) => ends.push([String(result.rowCount), why]));
  t.equal(store.size, 0);
  t.equal(store.bytes, 0);
  const gone = entry('x');
  for (const key of ['a', 'b', 'c']) store.set(key, key === 'b' ? gone : entry('x'));
  t.equal(store.bytes, 3 * SIZE);
  store.get('a');
  store.set('d', entry('x'));
  t.equal(store.get('b'), undefined);
  t.ok(store.get('a'));
  t.equal(store.size, 3);
  t.same(ends, [['1', 'evicted']]);
  t.equal(gone.result.isReleased, true);
  t.end();
});

t.test('ten times the keys take no more', (t) => {
  let evicted = 0;
  const store = new ResultStore(50 * (SIZE + 4), () => evicted++);
  for (let i = 0; i < 500; i++) store.set(String(10_000 + i), entry('x'));
  t.equal(store.size, 50);
  t.equal(evicted, 450);
  t.ok(store.bytes <= 50 * (SIZE + 4));
  t.end();
});

t.test('what is larger than all the room is not kept, and drives nothing out', (t) => {
  const store = new ResultStore(2 * SIZE, () => t.fail('nothing goes'));
  store.set('a', entry('x'));
  store.set('b', entry('x'.repeat(2 * SIZE)));
  t.ok(store.get('a'));
  t.equal(store.get('b'), undefined);
  t.end();
});

t.test('another shape counts as well', (t) => {
  const store = new ResultStore(100 * SIZE, () => undefined);
  const stored = entry('x');
  store.set('a', stored);
  const before = store.bytes;
  const legacy = stored.result.bytesFor(false);
  store.grown('a', stored);
  t.equal(store.bytes, before + ResultBlocks.bytesFor(legacy.length));
  t.equal(stored.result.isReleased, false, 'it is still there');
  const other = entry('x');
  store.set('a', other);
  store.grown('a', stored);
  t.equal(store.get('a'), other, 'what has taken its place stays');
  t.end();
});

t.test('entries are dropped one by one, by digest, or all', (t) => {
  const ends: EntryEnd[] = [];
  const store = new ResultStore(100 * SIZE, (_, why) => ends.push(why));
  const a = entry('x', 7);
  store.set('a', a);
  store.set('b', entry('x', 7));
  store.set('c', entry('x', 8));
  store.delete('a', entry('x'), 'stale');
  t.equal(store.size, 3, 'another one under the same key');
  store.delete('a', a, 'stale');
  t.equal(
    store.flush(({ tally }) => tally.hashLow === 7),
    1,
  );
  t.ok(store.get('c'));
  t.equal(store.flush(), 1);
  t.equal(store.size, 0);
  t.equal(store.bytes, 0);
  t.same(ends, ['stale', 'flushed', 'flushed']);
  t.end();
});

t.test('another size keeps what was used last', (t) => {
  const store = new ResultStore(10 * SIZE, () => undefined);
  for (const key of ['a', 'b', 'c', 'd']) store.set(key, entry('x'));
  store.get('a');
  store.resize(2 * SIZE);
  t.same(
    [...store.entries()].map(([key]) => key),
    ['a', 'd'],
  );
  t.ok(store.bytes <= 2 * SIZE);
  t.end();
});

t.test('a digest is told what is stored of it, whatever becomes of that', (t) => {
  const tally = tallyOf(1);
  const store = new ResultStore(3 * SIZE, () => undefined);
  const first = entry('x', 1, tally);
  for (const [key, one] of [
    ['a', first],
    ['b', entry('x', 1, tally)],
    ['c', entry('x', 1, tally)],
  ] as const)
    store.set(key, one);
  t.equal(tally.entries, 3);
  t.equal(tally.bytes, store.bytes);
  store.set('d', entry('x', 1, tally));
  t.equal(tally.entries, 3, 'one was evicted');
  store.set('d', entry('xx', 1, tally));
  t.equal(tally.bytes, store.bytes, 'one took the place of another');
  store.resize(SIZE + 10);
  t.equal(tally.entries, store.size);
  t.equal(tally.bytes, store.bytes);
  store.flush();
  t.equal(tally.entries, 0);
  t.equal(tally.bytes, 0);
  t.end();
});
