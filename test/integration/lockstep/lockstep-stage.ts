/** Two servers that begin alike: one is spoken to straight, the other through Sluice. */

import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import type { ServerName } from '../differential/corpus.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, PASSWORDS, SERVER_ARGS } from '../differential/fixture.ts';
import type { LockstepSides } from './lockstep-run.ts';
import { lockstepTables } from './session-model.ts';

/** So that a step that waits for another session, which only shortened sequences have, does not wait for long. */
const ARGS = [...SERVER_ARGS, '--innodb-lock-wait-timeout=6', '--lock-wait-timeout=6'] as const;

/** Sooner than a step's own deadline: that no connection is free says the generator's model is wrong. */
const WAIT_TIMEOUT_MS = 5_000;

export interface StageOptions {
  readonly server: ServerName;
  readonly sessions: number;
  readonly replicas: number;
  /** Connections that Sluice may have to each server. */
  readonly connections: number;
}

interface Side {
  readonly set: ReplicationSet;
  readonly fixture: DifferentialFixture;
}

export class LockstepStage {
  readonly sides: LockstepSides;
  readonly #sides: readonly Side[];
  readonly #sluice: SluiceProcess;

  private constructor(direct: Side, behind: Side, sluice: SluiceProcess, sessions: number) {
    this.#sides = [direct, behind];
    this.#sluice = sluice;
    const { primary } = direct.set;
    this.sides = {
      direct: { host: primary.host, port: primary.port, passwords: PASSWORDS },
      proxied: { host: sluice.host, port: sluice.port, passwords: PASSWORDS },
      reset: () => this.#reset(sessions),
      settle: () => behind.set.waitForSync(),
    };
  }

  static async create({ server, sessions, replicas, connections }: StageOptions): Promise<LockstepStage> {
    const flavor = server === 'mariadb' ? ServerFlavor.mariadb : ServerFlavor.mysql;
    const sets = [0, replicas].map((count) => new ReplicationSet({ flavor, replicas: count, args: ARGS }));
    try {
      const [direct, behind] = (await Promise.all(sets.map(startSide))) as [Side, Side];
      const sluice = await SluiceProcess.startFor(behind.set, {
        config: {
          workers: 1,
          users: [APP_ACCOUNT, LIMITED_ACCOUNT],
          pool: { maxConnections: connections, waitTimeoutMs: WAIT_TIMEOUT_MS },
        },
      });
      return new LockstepStage(direct, behind, sluice, sessions);
    } catch (error) {
      await Promise.all(sets.map((set) => set.dispose()));
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.#sluice.dispose();
    for (const { set, fixture } of this.#sides) {
      await fixture.close();
      await set.dispose();
    }
  }

  /** Transactions that began on a replica: there must be none, but those that setting it up has left. */
  async writtenOnReplicas(): Promise<string> {
    const { set } = this.#sides[1] as Side;
    const all = await Promise.all(
      set.replicas.map(async (replica) => {
        const isMariadb = set.flavor === ServerFlavor.mariadb;
        const [row] = await replica.query<{ gtids: string; own: string | number }>(
          isMariadb
            ? 'SELECT @@gtid_binlog_state AS gtids, @@server_id AS own'
            : 'SELECT @@global.gtid_executed AS gtids, @@server_uuid AS own',
        );
        const isOwn = (gtid: string): boolean => gtid.includes(isMariadb ? `-${row?.own}-` : `${row?.own}`);
        return row?.gtids.split(',').filter(isOwn).join(',') ?? '';
      }),
    );
    return all.join(' ');
  }

  get sluiceRuns(): boolean {
    return this.#sluice.exit === null;
  }

  async #reset(sessions: number): Promise<void> {
    await Promise.all(
      this.#sides.map(async ({ set, fixture }) => {
        await fixture.reset();
        for (const statement of lockstepTables(sessions)) await set.primary.query(statement);
        await set.waitForSync();
      }),
    );
  }
}

async function startSide(set: ReplicationSet): Promise<Side> {
  await set.start();
  return { set, fixture: await DifferentialFixture.create(set) };
}
