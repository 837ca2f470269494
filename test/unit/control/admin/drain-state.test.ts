/** When a server counts as drained: OFFLINE_SOFT, known to every worker that runs, and without a connection. */

import t from 'tap';
import { drainStates, untilDrained } from '../../../../src/control/admin/drain-state.ts';
import { FakeAdminState, PRIMARY } from './fake-admin-state.ts';

class Draining extends FakeAdminState {
  status = 'OFFLINE_SOFT';
  connections = 0;
  version = 7;
  workers = [{ worker: 0, version: 7, running: true, restarts: 0 }];

  override counters() {
    const counters = super.counters();
    const [server] = counters.servers;
    const { status, connections, version } = this;
    return { ...counters, snapshotVersion: version, servers: [{ ...server!, status, connections }] };
  }

  override versions() {
    return this.workers;
  }

  get isDrained(): boolean | null | undefined {
    return drainStates(this).get(PRIMARY)?.isDrained;
  }
}

t.test('what must be true', async (t) => {
  const state = new Draining();
  t.equal(state.isDrained, true);
  state.connections = 1;
  t.equal(state.isDrained, false);
  state.connections = 0;
  state.version = 8;
  t.equal(state.isDrained, false, 'a worker has not heard of it, and may connect');
  state.workers = [
    { worker: 0, version: 8, running: true, restarts: 0 },
    { worker: 1, version: 3, running: false, restarts: 1 },
  ];
  t.equal(state.isDrained, true, 'one that does not run does not connect');
  state.status = 'ONLINE';
  t.equal(state.isDrained, null);
  state.status = 'OFFLINE_HARD';
  t.equal(state.isDrained, null);
});

t.test('waiting for it', async (t) => {
  const state = new Draining();
  state.connections = 3;
  t.equal(await untilDrained(state, PRIMARY, 1), 3);
  const waiting = untilDrained(state, PRIMARY, 60_000);
  state.connections = 0;
  t.equal(await waiting, 0);
  t.equal(await untilDrained(state, 'gone:1', 1), 0, 'who is not there any more');
  state.version = 9;
  t.equal(await untilDrained(state, PRIMARY, 1), 1, 'not known is not none');
});
