import t from 'tap';
import { collectAll, IdleCollection } from '../../../src/common/heap-collection.ts';

const MIB = 2 ** 20;

function make(): {
  readonly collection: IdleCollection;
  readonly heap: { bytes: number; collections: number };
} {
  const heap = { bytes: 20 * MIB, collections: 0 };
  const collect = () => {
    heap.collections++;
    heap.bytes -= 5 * MIB;
  };
  return { collection: new IdleCollection({ collect, heapBytes: () => heap.bytes }), heap };
}

t.test('collects once when it has been idle for half a minute', async (t) => {
  const { collection, heap } = make();
  for (let nowMs = 0; nowMs < 30_000; nowMs += 1000) collection.tick(true, nowMs);
  t.equal(heap.collections, 0);
  for (let nowMs = 30_000; nowMs < 200_000; nowMs += 1000) collection.tick(true, nowMs);
  t.equal(heap.collections, 1);
});

t.test('a client in between begins the time anew', async (t) => {
  const { collection, heap } = make();
  collection.tick(true, 0);
  collection.tick(false, 29_000);
  collection.tick(true, 30_000);
  collection.tick(true, 59_999);
  t.equal(heap.collections, 0);
  collection.tick(true, 60_000);
  t.equal(heap.collections, 1);
});

t.test('collects again when the heap has grown, and only then', async (t) => {
  const { collection, heap } = make();
  collection.tick(true, 0);
  collection.tick(true, 30_000);
  heap.bytes += 2 * MIB;
  collection.tick(true, 60_000);
  t.equal(heap.collections, 1);
  heap.bytes += MIB;
  collection.tick(true, 90_000);
  t.equal(heap.collections, 2);
});

t.test('a collection frees what nobody holds', async (t) => {
  let freed = false;
  const registry = new FinalizationRegistry(() => {
    freed = true;
  });
  (() => registry.register({ large: new Array(1000).fill(0) }, ''))();
  await new Promise(setImmediate);
  collectAll();
  await new Promise(setImmediate);
  t.ok(freed);
});
