import t from 'tap';
import { SoleAgreement } from '../../../../src/control/failover/agreement/agreement.ts';
import { PrimaryWatch } from '../../../../src/control/failover/detection/primary-watch.ts';
import type { FailoverEvent } from '../../../../src/control/failover/failover-event.ts';
import { DeathVerdict } from '../../../../src/topology/primary-death.ts';
import { at, channel, failed, good, TopologyUnderTest } from '../../topology/topology-builder.ts';
import { FakeClock, settle } from '../monitor/fake-clock.ts';

const CONFIRM_MS = 1000;
const ALIVE = { verdict: DeathVerdict.alive, reason: 'it answers' };
const DEAD = { verdict: DeathVerdict.dead, reason: 'it is refused, and its replicas have lost it' };

/** A watch whose inquests find what `verdict` says, and end when `giveBack` is called. */
function madeWatch() {
  const topology = new TopologyUnderTest('a', 'b').apply(
    good('a'),
    good('b', { readOnly: true, sources: [channel('a')] }),
  );
  const clock = new FakeClock();
  const made = {
    topology,
    clock,
    verdict: ALIVE as typeof ALIVE | typeof DEAD,
    inquests: 0,
    giveBack: () => {},
    told: [] as string[],
    deaths: [] as string[],
  };
  const watch = new PrimaryWatch({
    topology: () => topology.value,
    agreement: new SoleAgreement(),
    clock,
    inquest: () => {
      made.inquests++;
      return {
        round: () => Promise.resolve(made.verdict),
        close: () =>
          new Promise<void>((resolve) => {
            made.giveBack = resolve;
          }),
      };
    },
    confirmMs: () => CONFIRM_MS,
    note: ({ kind }: FailoverEvent) => made.told.push(kind),
    dead: async ({ primary }) => {
      made.deaths.push(primary.address);
    },
  });
  return Object.assign(made, { watch });
}

// What the monitor saw while replicas were given back was forgotten: nobody looked at the dead primary again.
t.test('a primary that fails while its replicas are given back is looked at', async (t) => {
  const made = madeWatch();
  made.topology.apply(failed('a'));
  made.watch.look();
  await settle();
  t.equal(made.inquests, 1, 'it is suspect, and answers: its replicas are being given back');
  made.verdict = DEAD;
  made.watch.look();
  made.giveBack();
  await settle();
  t.equal(made.inquests, 2);
  await made.clock.advance(CONFIRM_MS);
  t.strictSame(made.deaths, [at('a')]);
  t.strictSame(made.told, ['primary-suspected', 'primary-dead']);
  const stopped = made.watch.stop();
  await settle();
  made.giveBack();
  await stopped;
});

t.test('what the monitor saw before the last round is no reason for another one', async (t) => {
  const made = madeWatch();
  made.topology.apply(failed('a'));
  made.watch.look();
  made.watch.look();
  await settle();
  made.giveBack();
  await settle();
  t.equal(made.inquests, 1, 'the check that has failed is answered by the round');
  made.watch.look();
  await settle();
  t.equal(made.inquests, 2, 'the next thing that the monitor sees is looked at');
  const stopped = made.watch.stop();
  made.giveBack();
  await stopped;
});

t.test('a primary whose place was taken is not asked any more, and the new one is looked at', async (t) => {
  const made = madeWatch();
  made.verdict = DEAD;
  made.topology.apply(failed('a'));
  made.watch.look();
  await settle();
  made.topology.apply(failed('a'), failed('a'), good('b'));
  made.topology.apply(failed('b'));
  t.equal(made.topology.value.primary, at('b'));
  await made.clock.advance(250);
  t.equal(made.inquests, 1);
  made.giveBack();
  await settle();
  t.equal(made.inquests, 2, 'which fails as well, though the monitor has seen nothing since');
  await made.clock.advance(CONFIRM_MS);
  t.strictSame(made.deaths, [at('b')]);
  const stopped = made.watch.stop();
  await settle();
  made.giveBack();
  await stopped;
});
