/** Starting, crashing, restarting and stopping of worker threads, with threads that do what the test asks for. */

import t, { type Test } from 'tap';
import { NO_RECORDS } from '../../../src/common/inspection.ts';
import { RootLogger } from '../../../src/common/logger.ts';
import {
  Gauge,
  ServerGauge,
  SharedCounters,
  serverGauge,
  userGauge,
  WorkerCounter,
} from '../../../src/common/shared-counters.ts';
import { SharedGtids } from '../../../src/common/shared-gtids.ts';
import { SharedMeasurements } from '../../../src/common/shared-measurements.ts';
import { SharedStatistics } from '../../../src/common/shared-statistics.ts';
import { TableEpochs } from '../../../src/common/table-epochs.ts';
import { StopMode } from '../../../src/common/thread-messages.ts';
import { WorkerSet } from '../../../src/control/worker-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeSnapshot } from './made-snapshot.ts';

class Rig {
  readonly counters = new SharedCounters();
  readonly log: string[] = [];
  readonly set: WorkerSet;
  #script = '';
  #version = 1;

  constructor(t: Test, count: number, script = '') {
    this.#script = script;
    this.set = new WorkerSet({
      count,
      listen: { host: '127.0.0.1', port: 0, more: [], sockets: [], socketMode: 0o777 },
      counters: this.counters,
      statistics: new SharedStatistics(count),
      measurements: new SharedMeasurements(),
      gtids: new SharedGtids(),
      epochs: new TableEpochs(count),
      logger: new RootLogger(
        'debug',
        ({ message, fields }) => this.log.push(`${message} ${JSON.stringify(fields)}`),
        () => undefined,
      ),
      snapshot: () => this.snapshot(),
      serverFailed: () => undefined,
      primaryRefuses: () => undefined,
      viewsChanged: () => undefined,
      accountsWanted: () => undefined,
      gtidsWanted: () => undefined,
      strongWanted: () => undefined,
      reported: () => undefined,
      script: new URL('./scripted-worker.ts', import.meta.url),
    });
    t.teardown(() => this.set.stop(StopMode.immediate, 1000));
  }

  snapshot() {
    return madeSnapshot({ version: this.#version, serverVersion: this.#script });
  }

  /** Workers that start later do not see it. */
  order(script: string): void {
    this.#version++;
    this.set.publish(madeSnapshot({ version: this.#version, serverVersion: script }));
  }

  /** Every worker obeys it, those too that start later. */
  standingOrder(script: string): void {
    this.#script = script;
    this.order(script);
  }

  async logged(text: string): Promise<void> {
    await waitUntil(`log of ${text}`, () => this.log.some((line) => line.includes(text)));
  }

  get running(): boolean[] {
    return this.set.status().map(({ running }) => running);
  }

  get restarts(): number[] {
    return this.set.status().map(({ restarts }) => restarts);
  }
}

const QUESTION = { statement: 'SELECT 1', schema: null, user: null, clientAddress: null };

t.test('all start, on the port of the first one, and answer', async (t) => {
  const rig = new Rig(t, 3);
  await rig.set.start();
  t.same(rig.running, [true, true, true]);
  t.equal(rig.set.port, 40_000);
  t.same(await rig.set.questions.explainRoute(QUESTION), [{ step: 'by', value: '0' }]);
  rig.order('');
  await waitUntil('all have applied', () =>
    rig.set.status().every(({ appliedVersion }) => appliedVersion === 2),
  );
  await rig.set.stop(StopMode.graceful, 5000);
  t.same(rig.running, [false, false, false]);
  t.same(rig.restarts, [0, 0, 0], 'a stop is no crash');
  t.same(await rig.set.questions.explainRoute(QUESTION), []);
});

t.test('a worker that crashes is started again, and what it held is given back', async (t) => {
  const rig = new Rig(t, 2);
  await rig.set.start();
  rig.order('*:take');
  const clients = () => rig.counters.gauge(Gauge.frontendConnections);
  await waitUntil('both have taken', () => clients() === 4);
  rig.order('1:crash');
  await rig.logged('worker crashed');
  await waitUntil('it runs again', () => rig.restarts[1] === 1 && rig.running[1]);
  t.same(rig.restarts, [0, 1]);
  t.ok(rig.running[0]);
  t.equal(clients(), 2, 'clients');
  const [well, crashed] = [rig.counters.worker(0), rig.counters.worker(1)];
  t.same(
    [well.getPins(0), crashed.getPins(0)],
    [
      { now: 1, started: 1 },
      { now: 0, started: 1 },
    ],
    'pins',
  );
  t.equal(crashed.get(WorkerCounter.pinnedSessions), 0);
  t.equal(rig.counters.gauge(userGauge(5)), 2, 'clients of a user that is in no snapshot any more');
  t.equal(rig.counters.gauge(serverGauge(9, ServerGauge.connections)), 3, 'connections to a server likewise');
  t.equal(rig.counters.gauge(serverGauge(9, ServerGauge.inUse)), 1);
  t.ok(
    rig.log.some((line) => line.includes('as the test wants it')),
    'the reason is logged',
  );
});

t.test('a worker that crashes again and again is started ever more slowly', async (t) => {
  const rig = new Rig(t, 1);
  await rig.set.start();
  rig.standingOrder('0:crash');
  await waitUntil('three restarts', () => (rig.restarts[0] ?? 0) >= 3);
  const delays = rig.log.flatMap((line) => /"delayMs":(\d+)/.exec(line)?.[1] ?? []).map(Number);
  t.same(delays.slice(0, 3), [200, 400, 800]);
  await rig.set.stop(StopMode.graceful, 1000);
  t.same(rig.running, [false], 'a stop ends the trying');
});

t.test('a stop while a crashed worker is starting again', async (t) => {
  // The news that it listens came for a worker that was being stopped, and ended the whole process.
  const rig = new Rig(t, 2);
  await rig.set.start();
  rig.standingOrder('1:late');
  rig.order('1:crash');
  await rig.logged('not listening yet');
  await rig.set.stop(StopMode.graceful, 5000);
  t.same(rig.running, [false, false]);
});

t.test('start() fails when a worker cannot listen, or dies before it does', async (t) => {
  await t.rejects(new Rig(t, 2, '1:deaf').set.start(), /cannot listen: address in use/);
  await t.rejects(new Rig(t, 2, '1:die').set.start(), /worker 1 ended with code 1 before it listened/);
});

t.test('KILL of a client of another worker', async (t) => {
  const rig = new Rig(t, 3);
  await rig.set.start();
  rig.order('0:kill');
  await rig.logged('killAnswer 1 unknown');
});

t.test('KILL is answered although a worker that was asked dies before it answers', async (t) => {
  const rig = new Rig(t, 3);
  await rig.set.start();
  rig.order('2:mute 0:kill');
  rig.order('2:crash');
  await rig.logged('killAnswer 1 unknown');
});

t.test('an answer for a worker that has died does not reach its successor', async (t) => {
  const rig = new Rig(t, 2);
  await rig.set.start();
  rig.order('1:mute 0:kill');
  await waitUntil('asked', () => rig.set.status().every(({ appliedVersion }) => appliedVersion === 2));
  rig.order('0:crash');
  await waitUntil('its successor runs', () => rig.restarts[0] === 1 && rig.running[0]);
  rig.order('1:crash');
  await waitUntil('the other one too', () => rig.restarts[1] === 1 && rig.running[1]);
  // Its own request has the same number.
  rig.order('0:kill');
  await rig.logged('killAnswer 1 unknown');
  t.equal(rig.log.filter((line) => line.startsWith('killAnswer')).length, 1);
});

t.test('KILL with one worker only', async (t) => {
  const rig = new Rig(t, 1);
  await rig.set.start();
  rig.order('0:kill');
  await rig.logged('killAnswer 1 unknown');
});

t.test('a question to all workers is answered without those that end or say nothing', async (t) => {
  const rig = new Rig(t, 3);
  await rig.set.start();
  const wanted = { subject: 'sessions', connectionId: null, limit: 10 } as const;
  t.same(await rig.set.questions.inspect(wanted), {
    ...NO_RECORDS,
    missing: [],
    asked: 3,
  });
  rig.order('1:mute 2:mute');
  await waitUntil('they are mute', () =>
    rig.set.status().every(({ appliedVersion }) => appliedVersion === 2),
  );
  const asked = rig.set.questions.inspect(wanted);
  rig.order('2:crash');
  t.same((await asked).missing, [1, 2]);
});
