/** What is done to the primary under load. Each gives the servers in the order in which they had to become primary. */

import { setTimeout as delay } from 'node:timers/promises';
import { Flapper } from '../../test/chaos/flapper.ts';
import { breakReplication, diverge } from '../../test/chaos/replication-faults.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import type { ConfigObject } from '../../test/support/sluice-process.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { Stage } from './stage.ts';

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly config: ConfigObject;
  /** The primary's disk has this many bytes, for as long as it is not filled. */
  readonly diskBytes?: number;
  /** One of the replicas is left broken. */
  readonly leavesBroken?: true;
  /** How long clients may have to wait behind it. */
  readonly recoveryMs?: number;
  /** Clients must not see any error. */
  readonly isSilent: boolean;
  /** Does the damage, and waits until another server takes writes (or the same one again). */
  readonly run: (stage: Stage) => Promise<void>;
}

const RECOVERY_TIMEOUT_MS = 20_000;
const FLAP_PERIOD_MS = 3000;
const FLAPS = 4;
/** How long a state lasts that Sluice is to leave alone. */
const OBSERVED_MS = 8000;

async function waitForNewPrimary(stage: Stage): Promise<DatabaseServer> {
  return waitUntil(
    'another server takes writes',
    async () => {
      const server = await stage.writable();
      return server !== null && server !== stage.set.primary ? server : null;
    },
    { timeoutMs: RECOVERY_TIMEOUT_MS },
  );
}

const switchover: Scenario = {
  name: 'switchover',
  description: 'SWITCHOVER TO a replica; clients must see a pause and no error',
  config: {},
  isSilent: true,
  run: async (stage) => {
    await stage.admin(`SWITCHOVER TO '${stage.firstReplica.address}'`);
  },
};

const kill: Scenario = {
  name: 'kill',
  description: 'kill -9 of the primary; it comes back when another one has taken over',
  config: { failover: { automatic: true } },
  isSilent: false,
  run: async (stage) => {
    await stage.set.primary.kill();
    await waitForNewPrimary(stage);
    await stage.set.primary.start();
  },
};

const killWithReplay: Scenario = {
  ...kill,
  name: 'kill-replay',
  description: `${kill.description}; transactions are replayed`,
  config: { ...kill.config, transactionReplay: { enabled: true } },
};

const freeze: Scenario = {
  name: 'freeze',
  description: 'SIGSTOP of the primary; SIGCONT when another one has taken over',
  config: { failover: { automatic: true } },
  isSilent: false,
  run: async (stage) => {
    stage.set.primary.freeze();
    await waitUntil(
      'a replica takes writes',
      async () => {
        for (const replica of stage.set.replicas) {
          if ((await replica.queryValue('SELECT @@global.read_only')) === '0') return replica;
        }
        return null;
      },
      { timeoutMs: RECOVERY_TIMEOUT_MS },
    ).finally(() => stage.set.primary.resume());
  },
};

const flap: Scenario = {
  name: 'flap',
  description: `the primary is killed and started every ${FLAP_PERIOD_MS} ms, ${FLAPS} times`,
  config: { failover: { automatic: true } },
  isSilent: false,
  run: async (stage) => {
    const flapper = Flapper.start(stage.set.primary, FLAP_PERIOD_MS);
    try {
      await waitUntil('it has died often enough', () => flapper.deaths >= FLAPS, {
        timeoutMs: RECOVERY_TIMEOUT_MS,
      });
    } finally {
      await flapper.stop();
    }
  },
};

const replicasDead: Scenario = {
  name: 'replicas-dead',
  description: 'both replicas die and come back: with semi-synchronous replication commits wait for them',
  config: { failover: { automatic: true } },
  isSilent: false,
  run: async ({ set }) => {
    await Promise.all(set.replicas.map((replica) => replica.kill()));
    await delay(OBSERVED_MS);
    await Promise.all(set.replicas.map((replica) => replica.start()));
  },
};

const brokenReplica: Scenario = {
  name: 'broken-replica',
  description:
    'the replication of one replica is broken, then the primary is killed: the other one is the heir',
  config: { failover: { automatic: true } },
  leavesBroken: true,
  isSilent: false,
  run: async (stage) => {
    await breakReplication(stage.set, stage.firstReplica);
    await stage.set.primary.kill();
    const heir = await waitForNewPrimary(stage);
    if (heir === stage.firstReplica) throw new Error('the broken replica was promoted');
    await stage.set.primary.start();
  },
};

const divergingReturn: Scenario = {
  name: 'diverging',
  description: 'the old primary comes back with a transaction of its own, and is kept out',
  config: { failover: { automatic: true } },
  isSilent: false,
  run: async (stage) => {
    const { primary } = stage.set;
    await primary.kill();
    await waitForNewPrimary(stage);
    // Out of the sight of Sluice, which would make it read-only first.
    stage.sluice.signal('SIGSTOP');
    try {
      await primary.start();
      await diverge(primary);
    } finally {
      stage.sluice.signal('SIGCONT');
    }
  },
};

const fullDisk: Scenario = {
  name: 'full-disk',
  // MariaDB looks once a minute whether there is room again.
  description:
    "the primary's disk becomes full, and has room again: writes wait, and nobody else is promoted",
  recoveryMs: 120_000,
  config: { failover: { automatic: true } },
  diskBytes: 512 * 1024 * 1024,
  isSilent: false,
  run: async ({ disk }) => {
    disk?.fill();
    await delay(OBSERVED_MS);
    disk?.free();
  },
};

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [
    switchover,
    kill,
    killWithReplay,
    freeze,
    flap,
    replicasDead,
    brokenReplica,
    divergingReturn,
    fullDisk,
  ].map((scenario) => [scenario.name, scenario]),
);
