import t from 'tap';
import { CheckList } from '../../../../src/control/failover/check-verdict.ts';
import type {
  ReplicationChannelState,
  ServerState,
} from '../../../../src/control/failover/servers/server-state.ts';
import {
  checkChannelGtid,
  checkFitness,
  checkReplicationRuns,
  checkSemiSync,
  checkVersions,
  findChannel,
} from '../../../../src/control/failover/switchover/target-checks.ts';
import { parseServerVersion } from '../../../../src/control/monitor/server-version.ts';
import { madeServerState } from './made-server-state.ts';

const CHANNEL: ReplicationChannelState = {
  name: '',
  source: 'a:1',
  sourceUuid: null,
  sourceId: 1,
  user: 'r',
  byGtid: true,
  ioRunning: 'Yes',
  sqlRunning: 'Yes',
  ioError: '',
  sqlError: '',
  retrieved: '',
  secondsBehind: 0,
  delaySeconds: 0,
  tls: false,
};

const PRIMARY = madeServerState('10.11.6-MariaDB', 1, {
  address: 'a:1',
  readOnly: false,
  semiSync: { available: true, sourceEnabled: false, replicaEnabled: false, timeoutMs: 10_000 },
});

const REPLICA: ServerState = { ...PRIMARY, address: 'b:2', serverId: 2, readOnly: true, channels: [CHANNEL] };

function reasonOf(from: Partial<ServerState>, to: Partial<ServerState>): string {
  const checks = new CheckList();
  const [old, next] = [
    { ...PRIMARY, ...from },
    { ...REPLICA, ...to },
  ];
  checkVersions(checks, old, next);
  checkFitness(checks, old, next);
  const channel = findChannel(checks, old, next);
  if (channel !== null) {
    checkReplicationRuns(checks, next, channel);
    checkChannelGtid(checks, next, channel);
  }
  checkSemiSync(checks, old, next);
  return checks.reason;
}

const version = (text: string) => ({ version: parseServerVersion(text) });
const channels = (...changes: Partial<ReplicationChannelState>[]) => ({
  channels: changes.map((change) => ({ ...CHANNEL, ...change })),
});

t.test('one that is fit', async (t) => {
  t.equal(reasonOf({}, {}), '');
  t.equal(reasonOf({}, version('10.11.9-MariaDB')), '', 'newer');
  t.equal(reasonOf(version('10.11.9-MariaDB'), {}), '', 'older within its series');
  t.equal(reasonOf({}, { superReadOnly: true, readOnly: false }), '');
  t.equal(reasonOf({}, channels({ source: 'another-name:1' })), '', 'known by the id of the server');
});

t.test('and everything that makes one unfit', async (t) => {
  const cases: readonly [Partial<ServerState>, Partial<ServerState>, RegExp][] = [
    [{}, version('8.0.36'), /one cannot replicate from the other/],
    [version('11.4.2-MariaDB'), {}, /a newer one cannot replicate from an older one/],
    [{ readOnly: true }, {}, /the primary a:1 is read-only/],
    [{}, { readOnly: false }, /b:2 is writable already/],
    [{}, { logBin: false }, /b:2 has no log_bin/],
    [{}, { logReplicaUpdates: false }, /b:2 has no log_slave_updates/],
    [{ gtids: false }, { gtids: false }, /gtid_mode is not ON on a:1, b:2/],
    [{}, { channels: [] }, /b:2 replicates from nobody, not from the primary a:1/],
    [{}, channels({ source: 'c:3', sourceId: 3 }), /b:2 replicates from c:3, not from/],
    [{ serverUuid: 'u' }, channels({ sourceUuid: 'v' }), /not from the primary/],
    [{}, channels({}, { source: 'c:3', sourceId: 3 }), /from several sources \(a:1, c:3\)/],
    [
      {},
      channels({ ioRunning: 'Connecting', ioError: 'refused' }),
      /broken \(IO thread Connecting, .*: refused\)/,
    ],
    [{}, channels({ sqlRunning: 'No', sqlError: 'duplicate' }), /SQL thread No: duplicate\)/],
    [{}, channels({ delaySeconds: 5 }), /delayed on purpose, by 5 s/],
    [{}, channels({ byGtid: false }), /replicates by file and position/],
    [
      { semiSync: { ...PRIMARY.semiSync, sourceEnabled: true } },
      { semiSync: { ...PRIMARY.semiSync, available: false } },
      /has no plugin for it/,
    ],
  ];
  for (const [from, to, reason] of cases) t.match(reasonOf(from, to), reason);
});
