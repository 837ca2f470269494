/** Lag from heartbeats, whatever the clocks of the hosts say. */

import t from 'tap';
import { HeartbeatClock } from '../../../../../src/control/monitor/heartbeat/heartbeat-clock.ts';
import {
  formatTimestamp,
  parseTimestamp,
  writerOf,
} from '../../../../../src/control/monitor/heartbeat/heartbeat-timestamp.ts';
import { untilNextBeat } from '../../../../../src/control/monitor/heartbeat/heartbeat-writer.ts';
import { untilNextSample } from '../../../../../src/control/monitor/heartbeat/lag-sampler.ts';

/** Off by any amount: time zones, hosts that nobody has set. */
for (const skewMs of [0, 7_200_000, -86_400_000.25, 1_700_000_000_000]) {
  t.test(`clocks that differ by ${skewMs} ms`, async (t) => {
    const clock = new HeartbeatClock();
    const stamp = (atMs: number): number => atMs - skewMs;
    t.equal(clock.lagMs(stamp(0), 100, false), null, 'nothing is known of the primary');
    for (let atMs = 0; atMs <= 10_000; atMs += 250) clock.seen(stamp(atMs), atMs, atMs + 3);
    t.equal(clock.lagMs(stamp(10_000), 10_125, false), 0, 'it has the newest one');
    t.equal(clock.lagMs(stamp(10_250), 10_125, false), 0, 'or one that was not told yet');
    t.equal(clock.lagMs(stamp(9750), 10_125, false), 375, 'it lacks what came after the one that it has');
    t.equal(clock.lagMs(stamp(8000), 10_125, false), 2125);
    t.equal(clock.lagMs(stamp(9750), 10_002, false), 0, 'asked before the newest one was known');
    t.equal(clock.lagMs(stamp(9500), 10_002, false), 502);
    t.equal(clock.silenceMs(11_003), 1000);
    t.equal(clock.lagMs(stamp(8000), 60_000, true), 2000, 'frozen: what it lacks of the old ones');
    t.equal(clock.lagMs(stamp(10_000), 60_000, true), 0);
  });
}

t.test('a heartbeat that was found late does not count against replicas', async (t) => {
  const clock = new HeartbeatClock();
  // Found between 40 and 240 ms after they were made.
  const delays = [240, 90, 40, 200, 160];
  for (const [index, delay] of delays.entries()) {
    const madeAtMs = index * 1000;
    clock.seen(madeAtMs + 5_000_000, madeAtMs + delay, madeAtMs + delay + 2);
  }
  // The difference of the clocks is known to 40 ms by the third.
  t.equal(clock.lagMs(5_000_000, 6000, false), 5960);
});

t.test('the difference of clocks is followed as they drift', async (t) => {
  const clock = new HeartbeatClock();
  for (let atMs = 0; atMs <= 600_000; atMs += 1000) clock.seen(atMs * 0.9999, atMs, atMs);
  // 60 ms behind after ten minutes; of the last minute the earliest mark is 6 ms less.
  const lagMs = clock.lagMs(599_000 * 0.9999, 600_500, false) ?? Number.NaN;
  t.ok(lagMs > 1490 && lagMs < 1510, `${lagMs} ms`);
});

t.test('a writer whose clock goes back starts anew', async (t) => {
  const clock = new HeartbeatClock();
  clock.seen(50_000, 1000, 1001);
  clock.seen(20_000, 1250, 1251);
  t.equal(clock.lagMs(20_000, 1300, false), 0);
  clock.seen(20_250, 1500, 1501);
  t.equal(clock.lagMs(20_000, 1600, false), 350);
});

t.test('what is written can be read', async (t) => {
  const atMs = Date.UTC(2026, 10, 21, 9, 30, 0, 7);
  t.equal(formatTimestamp(atMs + 0.9, 42), '2026-11-21T09:30:00.007042');
  t.equal(parseTimestamp('2026-11-21T09:30:00.007042'), atMs + 0.042);
  t.equal(writerOf('2026-11-21T09:30:00.007042'), 42);
  t.equal(parseTimestamp('2026-11-21 09:30:00'), atMs - 7);
  t.equal(parseTimestamp('2026-11-21T09:30:00.5'), atMs + 493);
  for (const text of ['', 'now', '2026-11-21', '2026-13-41T09:30:00', "2026-11-21T09:30:00'"])
    t.equal(parseTimestamp(text), null, text);
});

t.test('samples come half an interval behind heartbeats', async (t) => {
  t.equal(untilNextSample(125, 250), 250);
  t.equal(untilNextSample(0, 250), 125);
  t.equal(untilNextSample(130, 250), 245, 'one that came late is made up for');
  t.equal(untilNextSample(120, 250), 255, 'and one that came early');
  t.equal(untilNextSample(249, 250), 126);
  t.equal(untilNextSample(1_000_100, 250), 275);
  for (let startedAtMs = 0; startedAtMs < 1000; startedAtMs += 7) {
    const next = startedAtMs + untilNextSample(startedAtMs, 250);
    t.equal(next % 250, 125);
  }
});

t.test('a heartbeat is written once for each interval, also by timers that fire too early', async (t) => {
  t.equal(untilNextBeat(250, 250), 250);
  t.equal(untilNextBeat(100, 250), 150);
  t.equal(untilNextBeat(249.3, 250), 250.7);
  t.equal(untilNextBeat(251, 250), 249);
});
