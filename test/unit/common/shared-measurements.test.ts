/** What the main thread measures, as the workers' threads see it. */

import t from 'tap';
import { SharedMeasurements } from '../../../src/common/shared-measurements.ts';

const SLOT = 7;

t.test('nothing is known at first, of any server', async (t) => {
  const measured = new SharedMeasurements();
  for (const slot of [0, SLOT, 255]) {
    t.equal(measured.lagMs(slot), -1);
    t.equal(measured.latencyMicros(slot), -1);
    t.strictSame(measured.lastSample(slot), { lagMs: -1, sampledAtMs: 0 });
  }
});

t.test('what one thread sets, another one with the same memory sees', async (t) => {
  const main = new SharedMeasurements();
  const worker = new SharedMeasurements(main.buffers);
  main.setLag(SLOT, 12.5, 1000);
  main.setLatency(SLOT, 340);
  t.equal(worker.lagMs(SLOT, 1000), 12.5);
  t.equal(worker.latencyMicros(SLOT), 340);
  t.equal(worker.lagMs(SLOT + 1, 1000), -1, 'of its neighbour nothing');
});

t.test('a sample that is overdue makes a server older, an unknown lag stays unknown', async (t) => {
  const measured = new SharedMeasurements();
  measured.setGrace(500);
  measured.setLag(SLOT, 20, 10_000);
  t.equal(measured.lagMs(SLOT, 10_000), 20);
  t.equal(measured.lagMs(SLOT, 10_500), 20);
  t.equal(measured.lagMs(SLOT, 10_501), 21);
  t.equal(measured.lagMs(SLOT, 13_500), 3020);
  t.equal(measured.lastSample(SLOT).lagMs, 20, 'the measurement itself stays what it was');
  measured.setLag(SLOT, null, 14_000);
  t.equal(measured.lagMs(SLOT, 20_000), -1);
});

t.test('of a server that is forgotten nothing is known', async (t) => {
  const measured = new SharedMeasurements();
  measured.setLag(SLOT, 1, 1);
  measured.setLatency(SLOT, 1);
  measured.forget(SLOT);
  t.equal(measured.lagMs(SLOT), -1);
  t.equal(measured.latencyMicros(SLOT), -1);
});
