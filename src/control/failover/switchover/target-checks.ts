/** Whether one server can take the place of another, from the states of both. Pure. */

import type { CheckList } from '../check-verdict.ts';
import { isReadOnly, type ReplicationChannelState, type ServerState } from '../servers/server-state.ts';

/** Of a version id, what must not go back: servers of one series read each other's binary logs. */
function seriesOf(versionId: number): number {
  return Math.floor(versionId / 100);
}

/** The one channel by which `to` replicates from `from`; refused and null otherwise. */
export function findChannel(
  checks: CheckList,
  from: ServerState,
  to: ServerState,
): ReplicationChannelState | null {
  const { channels } = to;
  const isOfOld = (channel: ReplicationChannelState): boolean =>
    channel.sourceUuid !== null && from.serverUuid !== null
      ? channel.sourceUuid === from.serverUuid
      : channel.source === from.address || channel.sourceId === from.serverId;
  const channel = channels.find(isOfOld);
  const sources = channels.map(({ source }) => source).join(', ');
  if (channel === undefined) {
    const instead = channels.length === 0 ? 'from nobody' : `from ${sources}`;
    checks.refuse('replicates', `${to.address} replicates ${instead}, not from the primary ${from.address}`);
    return null;
  }
  const isOnly = channels.length === 1;
  const many = `${to.address} replicates from several sources (${sources}): one of them is not Sluice's to end`;
  return checks.require('replicates', isOnly, `from ${channel.source}`, many) ? channel : null;
}

export function checkReplicationRuns(
  checks: CheckList,
  { address }: ServerState,
  channel: ReplicationChannelState,
): void {
  const { ioRunning, sqlRunning, ioError, sqlError, delaySeconds } = channel;
  const runs = ioRunning === 'Yes' && sqlRunning === 'Yes';
  const error = sqlError || ioError;
  const threads = `IO thread ${ioRunning}, SQL thread ${sqlRunning}${error === '' ? '' : `: ${error}`}`;
  checks.require('replication', runs, 'both threads run', `replication of ${address} is broken (${threads})`);
  if (delaySeconds > 0)
    checks.refuse('delay', `${address} is delayed on purpose, by ${delaySeconds} s (MASTER_DELAY)`);
}

export function checkVersions(checks: CheckList, from: ServerState, to: ServerState): boolean {
  const names = `${to.address} is ${to.version.text}, the primary ${from.address} is ${from.version.text}`;
  const isSame = from.version.flavor === to.version.flavor;
  if (!checks.require('flavor', isSame, from.version.flavor, `${names}: one cannot replicate from the other`))
    return false;
  const isOlder = seriesOf(to.version.id) < seriesOf(from.version.id);
  checks.require(
    'version',
    !isOlder,
    to.version.text,
    `${names}: a newer one cannot replicate from an older one`,
  );
  return true;
}

/** What a primary must have that a replica can do without. */
export function checkFitness(checks: CheckList, from: ServerState, to: ServerState): void {
  const { address } = to;
  checks.require('writable', !isReadOnly(from), 'the primary is', `the primary ${from.address} is read-only`);
  checks.require(
    'read-only',
    isReadOnly(to),
    `${address} is`,
    `${address} is writable already: what has been written there is not on the primary`,
  );
  checks.require(
    'binary-log',
    to.logBin && to.logReplicaUpdates,
    'log_bin and log_slave_updates are on',
    `${address} has no ${to.logBin ? 'log_slave_updates' : 'log_bin'}: nobody could replicate from it`,
  );
  const withoutGtids = [from, to].filter(({ gtids }) => !gtids).map((state) => state.address);
  checks.require(
    'gtid',
    withoutGtids.length === 0,
    'on',
    `gtid_mode is not ON on ${withoutGtids.join(', ')}`,
  );
}

export function checkChannelGtid(
  checks: CheckList,
  { address }: ServerState,
  { byGtid }: ReplicationChannelState,
): void {
  checks.require(
    'auto-position',
    byGtid,
    'replicates by GTID',
    `${address} replicates by file and position: set MASTER_AUTO_POSITION=1 (MariaDB: MASTER_USE_GTID=slave_pos)`,
  );
}

export function checkSemiSync(checks: CheckList, from: ServerState, to: ServerState): void {
  if (!from.semiSync.sourceEnabled) return;
  checks.require(
    'semi-sync',
    to.semiSync.available,
    'the new primary waits for acknowledgements as the old one does',
    `the primary waits for acknowledgements of replicas, and ${to.address} has no plugin for it`,
  );
}
