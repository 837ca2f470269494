import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import {
  FIRST_CONNECTION_ID,
  Gauge,
  MAX_SERVERS,
  MAX_USERS,
  MAX_WORKERS,
  ServerCounter,
  ServerGauge,
  SharedCounters,
  serverGauge,
  userGauge,
  WorkerCounter,
} from '../../../src/common/shared-counters.ts';

t.test('two instances on the same memory keep one limit', async (t) => {
  const one = new SharedCounters();
  const two = new SharedCounters(one.buffers);
  const gauge = serverGauge(3, ServerGauge.connections);
  t.ok(one.acquire(gauge, 2));
  t.ok(two.acquire(gauge, 2));
  t.notOk(one.acquire(gauge, 2));
  t.notOk(two.acquire(gauge, 2));
  t.equal(one.gauge(gauge), 2, 'a refusal leaves nothing behind');
  two.addGauge(gauge, -1);
  t.ok(one.acquire(gauge, 2));
  t.ok(two.acquire(gauge, 0), '0 is no limit');
  t.equal(one.gauge(gauge), 3);
});

t.test('no two things share a place', async (t) => {
  const places = new Map<number, string>();
  const claim = (index: number, name: string): void => {
    if (places.has(index)) t.fail(`${name} has the place of ${places.get(index)}`);
    places.set(index, name);
  };
  for (const [name, index] of Object.entries(Gauge)) claim(index, name);
  for (let slot = 0; slot < MAX_SERVERS; slot++)
    for (const [name, gauge] of Object.entries(ServerGauge))
      claim(serverGauge(slot, gauge), `${name} ${slot}`);
  for (let slot = 0; slot < MAX_USERS; slot++) claim(userGauge(slot), `user ${slot}`);
  const counters = new SharedCounters();
  counters.addGauge(Math.max(...places.keys()), 1);
  t.equal(counters.gauge(Math.max(...places.keys())), 1, 'the last one is within the memory');
});

t.test('counters of a worker and a server are their own', async (t) => {
  const shared = new SharedCounters();
  const last = shared.worker(MAX_WORKERS - 1);
  const one = shared.worker(1);
  for (const counter of Object.values(WorkerCounter)) one.add(counter, counter + 1);
  for (const slot of [0, 1, MAX_SERVERS - 1])
    for (const counter of Object.values(ServerCounter))
      one.addServer(slot, counter, 1000 + slot * 10 + counter);
  for (const counter of Object.values(WorkerCounter)) {
    t.equal(one.get(counter), counter + 1);
    t.equal(last.get(counter), 0);
    t.equal(shared.worker(2).get(counter), 0);
    t.equal(shared.worker(0).get(counter), 0);
  }
  for (const slot of [0, 1, MAX_SERVERS - 1])
    for (const counter of Object.values(ServerCounter))
      t.equal(
        new SharedCounters(shared.buffers).worker(1).getServer(slot, counter),
        1000 + slot * 10 + counter,
      );
  one.clear(WorkerCounter.sessions);
  one.clearServer(1, ServerCounter.heldInUse);
  t.equal(one.get(WorkerCounter.sessions), 0);
  t.equal(one.getServer(1, ServerCounter.heldInUse), 0);
  t.equal(one.getServer(0, ServerCounter.heldInUse), 1000 + ServerCounter.heldInUse);
  last.addServer(MAX_SERVERS - 1, ServerCounter.bytesReceived, 2 ** 40);
  t.equal(last.getServer(MAX_SERVERS - 1, ServerCounter.bytesReceived), 2 ** 40, 'beyond 32 bits');
});

t.test('the share of a worker that ended is given back, the others keep theirs', async (t) => {
  const shared = new SharedCounters();
  const user = 17;
  for (const worker of [0, 0, 1]) t.ok(shared.acquireUser(worker, user, 3));
  t.notOk(shared.acquireUser(1, user, 3));
  t.equal(shared.gauge(userGauge(user)), 3);
  shared.giveBackUser(0, user);
  t.equal(shared.gauge(userGauge(user)), 1);
  shared.giveBackUser(0, user);
  t.equal(shared.gauge(userGauge(user)), 1, 'once');
  shared.releaseUser(1, user);
  t.equal(shared.gauge(userGauge(user)), 0);
});

t.test('connection ids are where no server’s are, also when they have all been used', async (t) => {
  const shared = new SharedCounters();
  const first = shared.nextConnectionId();
  t.ok(first >= FIRST_CONNECTION_ID && first < 2 ** 31);
  shared.addGauge(Gauge.connectionId, -shared.gauge(Gauge.connectionId) - 1);
  t.equal(shared.nextConnectionId(), 2 ** 31 - 1, 'the last one');
  t.equal(shared.nextConnectionId(), FIRST_CONNECTION_ID, 'and the first one again');
  shared.addGauge(Gauge.connectionId, 0x7fff_ffff - shared.gauge(Gauge.connectionId));
  t.equal(shared.nextConnectionId(), 2 ** 31 - 1);
  t.equal(shared.nextConnectionId(), FIRST_CONNECTION_ID, 'when the counter itself overflows');
});

t.test('threads that race for a limit never exceed it, and no id is given twice', async (t) => {
  const shared = new SharedCounters();
  const inside = new SharedArrayBuffer(8);
  const start = new SharedArrayBuffer(4);
  const [limit, rounds, threads] = [2, 40_000, 4];
  const script = new URL('./shared-counters-racer.ts', import.meta.url);
  const workers = Array.from(
    { length: threads },
    () => new Worker(script, { workerData: { buffers: shared.buffers, limit, rounds, inside, start } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const results = Promise.all(workers.map((worker) => once(worker, 'message')));
  const ended = Promise.all(workers.map((worker) => once(worker, 'exit')));
  Atomics.store(new Int32Array(start), 0, 1);
  Atomics.notify(new Int32Array(start), 0);
  const answers = (await results).map(([message]) => message as { taken: number; ids: number[] });
  await ended;
  const [left, most] = new Int32Array(inside);
  t.equal(left, 0);
  t.ok(most! >= 1 && most! <= limit, `${most} at once`);
  t.equal(shared.gauge(Gauge.frontendConnections), 0);
  t.ok(answers.every(({ taken }) => taken > 0));
  t.equal(new Set(answers.flatMap(({ ids }) => ids)).size, threads * rounds);
});

t.test('a counter of all workers', async (t) => {
  const counters = new SharedCounters();
  for (const index of [0, 1, MAX_WORKERS - 1]) counters.worker(index).add(WorkerCounter.questions, index + 1);
  counters.worker(1).add(WorkerCounter.beats, 100);
  t.equal(counters.total(WorkerCounter.questions), 3 + MAX_WORKERS);
});
