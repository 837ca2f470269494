/**
 * keepalived, with the configuration that comes with Sluice, moves an address between two Sluices. Long series of the same:
 * bench/ha.
 */

// Who does not answer within a quarter of a second counts as gone here, as he would in service.
// sluice-test: alone

import t, { type Test } from 'tap';
import { isNightly, skipByDay } from '../../support/nightly.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { AddressWatch } from './address-watch.ts';
import { isLost, type Outcome, underLoad } from './entry-load.ts';
import { CLIENT_PORT, EntryStage, type NodeName } from './entry-stage.ts';
import { KeepalivedNode } from './keepalived-node.ts';

const skip = (await EntryStage.unavailableReason('keepalived')) ?? false;
/** What is promised, from the damage until a client is served at the other one. */
/** What is promised of a machine of its own; other tests run beside this one by day. */
const TAKEOVER_MS = isNightly ? 3000 : 15_000;
/** Longer than it takes until keepalived has asked twice, and the other one has the address. */
const SHUTDOWN_DELAY_MS = 3500;

t.test('an address that moves between two Sluices', { skip }, async (t) => {
  const stage = await EntryStage.startFor(t, { config: { limits: { shutdownDelayMs: SHUTDOWN_DELAY_MS } } });
  const nodes = {
    sluice1: new KeepalivedNode(stage, 'sluice1'),
    sluice2: new KeepalivedNode(stage, 'sluice2'),
  };
  const watch = await AddressWatch.start(stage, ['sluice1', 'sluice2']);
  t.teardown(async () => {
    await Promise.all([...Object.values(nodes).map((node) => node.dispose()), watch.stop()]);
  });
  const entry = { host: stage.network.spareAddress, port: CLIENT_PORT };

  t.test('the configurations', async (t) => {
    for (const node of Object.values(nodes))
      t.equal(await node.check(), '', `keepalived -t for ${node.name}`);
    const [one, other] = [nodes.sluice1.lines, nodes.sluice2.lines];
    const differing = one.filter((line, index) => line !== other[index] && !line.startsWith('#'));
    t.strictSame(
      differing.map((line) => line.split('=')[0]),
      ['$OWN', '$OTHER'],
      'differ in the addresses only',
    );
  });

  t.test('one has it, and clients are who they are', async (t) => {
    await nodes.sluice1.start();
    await watch.waitForOnly('sluice1');
    await nodes.sluice2.start();
    await nodes.sluice2.waitForCheck();
    const list = await stage.stockClient('client', entry, 'SHOW PROCESSLIST');
    t.match(list, `\t${stage.hostOf('client').host}:`);
    t.strictSame(watch.holders(), ['sluice1']);
  });

  t.test('keepalived is killed: the other one is heard, until the first tidies up', async (t) => {
    const outcome = await underLoad(entry, () => nodes.sluice1.kill());
    t.ok(outcome.fresh.failedAfter.every(isLost), 'no new connection is refused: both answer');
    judgeTakeover(t, outcome, 'sluice2');
    t.strictSame(watch.holders().toSorted(), ['sluice1', 'sluice2'], 'nobody is left to take it away');
    await nodes.sluice1.start();
    await watch.waitForOnly('sluice2').catch((error: Error) => {
      throw new Error(`${error.message}\n${nodes.sluice1.logTail()}`);
    });
  });

  t.test('the host is gone', async (t) => {
    await nodes.sluice1.waitForCheck();
    const outcome = await underLoad(entry, async () => stage.network.setLink('sluice2', 'down'));
    judgeTakeover(t, outcome, 'sluice1');
    await watch.waitForOnly('sluice1');
    t.equal(watch.sharedMs(outcome.damage.beganMs), 0, 'it has given it up by itself');
    stage.network.setLink('sluice2', 'up');
    await nodes.sluice2.waitForCheck();
  });

  t.test('Sluice is killed', async (t) => {
    const outcome = await underLoad(entry, () => stage.sluice('sluice1').kill());
    judgeTakeover(t, outcome, 'sluice2');
    t.equal(watch.sharedMs(outcome.damage.beganMs), 0, 'never two have it');
  });

  t.test('it comes back, and the address stays where it is', { skip: skipByDay }, async (t) => {
    await stage.sluice('sluice1').startAgain();
    await nodes.sluice1.waitForCheck();
    t.strictSame(watch.holders(), ['sluice2']);
  });

  t.test('the two do not hear each other: both have it, until they do', { skip: skipByDay }, async (t) => {
    stage.network.cut('sluice1', 'sluice2');
    await waitUntil('both have the address', () => watch.holders().length === 2);
    t.match(await stage.stockClient('client', entry, 'SELECT 1'), '1', 'clients are served');
    stage.network.heal();
    await waitUntil('one has it', () => watch.holders().length === 1);
    // Equal priorities: the higher address has it.
    t.strictSame(watch.holders(), ['sluice2']);
  });

  t.test(
    'Sluice is stopped: only a login in the moment of the move is lost',
    { skip: skipByDay },
    async (t) => {
      const active = watch.holders()[0] ?? 'sluice2';
      const heir = active === 'sluice1' ? 'sluice2' : 'sluice1';
      const { damage, fresh, long } = await underLoad(entry, async () =>
        stage.sluice(active).signal('SIGTERM'),
      );
      const tookMs = judgeTakeover(t, { damage, fresh, long }, heir);
      t.strictSame(fresh.caught, []);
      t.ok(
        fresh.failingMs <= tookMs,
        `${fresh.failedAfter.length} were lost, none that began behind the move`,
      );
      await watch.waitForOnly(heir);
      t.equal(watch.sharedMs(damage.beganMs), 0, 'never two have it');
      t.equal((await stage.sluice(active).exited).code, 0);
    },
  );

  function judgeTakeover(t: Test, { damage, fresh, long }: Outcome, heir: NodeName): number {
    const tookMs = watch.takenAtMs(heir, damage.beganMs) - damage.beganMs;
    t.ok(tookMs < TAKEOVER_MS, `${heir} has the address after ${tookMs.toFixed()} ms`);
    t.strictSame([...fresh.failedBefore, ...long.failedBefore], [], 'no error before it');
    t.comment(`new clients again after ${fresh.recoveryMs} ms, ${fresh.failedAfter.length} had an error`);
    return tookMs;
  }
});
