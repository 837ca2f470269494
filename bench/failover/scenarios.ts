/** What is done to the primary under load. Each gives the servers in the order in which they had to become primary. */

import { Flapper } from '../../test/chaos/flapper.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import type { ConfigObject } from '../../test/support/sluice-process.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { Stage } from './stage.ts';

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly config: ConfigObject;
  /** Clients must not see any error. */
  readonly isSilent: boolean;
  /** Does the damage, and waits until another server takes writes (or the same one again). */
  readonly run: (stage: Stage) => Promise<void>;
}

const RECOVERY_TIMEOUT_MS = 20_000;
const FLAP_PERIOD_MS = 3000;
const FLAPS = 4;

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

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [switchover, kill, killWithReplay, freeze, flap].map((scenario) => [scenario.name, scenario]),
);
