import t from 'tap';
import { BusyGauge } from '../../../src/cli/compiler-hold.ts';

t.test('checks and beats are idling, for as long as they go on', async (t) => {
  const gauge = new BusyGauge(800);
  const seconds = Array.from({ length: 3600 }, (_, index) => index + 1);
  t.notOk(seconds.some((second) => gauge.isBusy(800 + second * 100, 0)));
});

t.test('what somebody loads once is not work', async (t) => {
  const gauge = new BusyGauge(0);
  let cpuMs = 0;
  for (const load of [390, 20, 20, 20, 20, 390]) {
    cpuMs += load;
    t.notOk(gauge.isBusy(cpuMs, 0));
  }
});

t.test('a busy second is work', async (t) => {
  const gauge = new BusyGauge(0);
  t.ok(gauge.isBusy(400, 0));
});

t.test('so is a fifth of a processor for some seconds', async (t) => {
  const gauge = new BusyGauge(1000);
  t.strictSame(
    [1200, 1400, 1600].map((cpuMs) => gauge.isBusy(cpuMs, 0)),
    [false, false, true],
  );
});

t.test(
  'few clients are served as quickly as many: what they send counts, however slowly it comes',
  async (t) => {
    const gauge = new BusyGauge(0);
    t.strictSame(
      [10, 999, 1000].map((commands) => gauge.isBusy(0, commands)),
      [false, false, true],
    );
  },
);
