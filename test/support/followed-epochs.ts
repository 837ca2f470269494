/** The binlog follower without the rest of Sluice: what it raises, seen in the shared memory that workers go by. */

import type { GtidSource } from '../../src/common/gtid-position.ts';
import { monotonicMs } from '../../src/common/monotonic-ms.ts';
import { SharedGtids } from '../../src/common/shared-gtids.ts';
import type { BackendTls } from '../../src/common/snapshot.ts';
import { EVERYTHING, FollowState, TableEpochs } from '../../src/common/table-epochs.ts';
import { encodeTableRelations, TableRelations } from '../../src/common/table-relations.ts';
import { tableSlot } from '../../src/common/table-slots.ts';
import { BinlogFollower } from '../../src/control/binlog/binlog-follower.ts';
import type { FollowerPace } from '../../src/control/binlog/followed-server.ts';
import { emptyTally } from '../../src/control/binlog/follower-tally.ts';
import { NO_ROWS, type RowSink } from '../../src/control/binlog/row-sink.ts';
import type { FollowerEvent } from '../../src/control/monitor/binlog-follower-event.ts';
import { type ServerTls, WITHOUT_TLS } from '../../src/topology/server-description.ts';
import { type Account, APP_SCHEMA, MONITOR_ACCOUNT } from './replication-set.ts';
import { waitUntil } from './wait-until.ts';

/** Numbers of a table, or of everything under `*`. */
export type Raised = Readonly<Record<string, { readonly epoch: number; readonly structure: number }>>;

export interface FollowedEpochsOptions {
  /** What writing to a table changes as well, by name. */
  readonly related?: Readonly<Record<string, readonly string[]>>;
  readonly account?: Account;
  readonly rows?: RowSink;
  readonly serverId?: number;
  readonly pace?: Partial<FollowerPace>;
  /** How the server is reached, with what certificates. */
  readonly tls?: BackendTls;
}

export class FollowedEpochs {
  readonly epochs = new TableEpochs(1);
  readonly gtids = new SharedGtids();
  readonly events: FollowerEvent[] = [];
  readonly tally = emptyTally();
  readonly follower: BinlogFollower;
  catalogChanges = 0;
  /** The current one, as the rest of Sluice would have found out. */
  source: GtidSource | null = null;
  readonly #tls: ServerTls;
  #term = 0;

  constructor(options: FollowedEpochsOptions = {}) {
    const {
      related = {},
      account = MONITOR_ACCOUNT,
      tls = null,
      rows = NO_ROWS,
      serverId = 4_100_000_001,
      pace = {},
    } = options;
    this.#tls = { ...WITHOUT_TLS, mode: tls?.mode ?? WITHOUT_TLS.mode };
    const writes = new Map(
      Object.entries(related).map(([table, others]) => [slotOf(table), others.map(slotOf)]),
    );
    const relations = new TableRelations(encodeTableRelations(new Map(), writes, writes));
    this.follower = new BinlogFollower({
      epochs: this.epochs,
      gtids: this.gtids,
      rows,
      tally: this.tally,
      pace: { probeMs: 20, settleMs: 20, checkMs: 100, retryMs: 100, ...pace },
      relations: () => relations,
      source: () => this.source,
      catalogChanged: () => {
        this.catalogChanges += 1;
      },
      definitionsChanged: () => {},
      gtidsWanted: () => {},
      note: (event) => this.events.push(event),
      settings: () => ({
        credentials: tls === null ? account : { ...account, resolveTls: () => tls },
        timeoutMs: 5000,
        serverId,
      }),
    });
  }

  /** It is the primary from now on. */
  async follow(server: { readonly host: string; readonly port: number }): Promise<void> {
    this.begin(server);
    await this.isFollowing();
  }

  /** As `follow`, without waiting for anything. */
  begin({ host, port }: { readonly host: string; readonly port: number }): void {
    this.#term += 1;
    const address = `${host}:${port}`;
    this.follower.follow(true, { host, port, address, tls: this.#tls, term: this.#term });
  }

  async isFollowing(): Promise<void> {
    await waitUntil('the binlog is followed', () => this.isVouched, { timeoutMs: 20_000 });
  }

  get isVouched(): boolean {
    return this.epochs.followState === FollowState.following && this.epochs.confirmedAtMs > 0;
  }

  /** Waits until what anybody can see now has been raised for the last time. */
  async confirmed(): Promise<void> {
    const now = monotonicMs();
    const { epochs } = this;
    await waitUntil('this moment is confirmed', () => this.isVouched && epochs.confirmedAtMs >= now, {
      timeoutMs: 20_000,
      intervalMs: 10,
    });
  }

  /** What is raised while it runs, and until that is confirmed; tables that are not raised are left out. */
  async raisedBy(tables: readonly string[], run: () => Promise<unknown>): Promise<Raised> {
    await this.confirmed();
    const before = this.#numbers(tables);
    await run();
    await this.confirmed();
    const after = this.#numbers(tables);
    const raised: Record<string, { epoch: number; structure: number }> = {};
    for (const [name, { epoch, structure }] of Object.entries(after)) {
      const difference = {
        epoch: epoch - before[name]!.epoch,
        structure: structure - before[name]!.structure,
      };
      if (difference.epoch !== 0 || difference.structure !== 0) raised[name] = difference;
    }
    return raised;
  }

  stop(): Promise<void> {
    return this.follower.stop();
  }

  #numbers(tables: readonly string[]): Raised {
    const { epochs } = this;
    const slots: [string, number][] = tables.map((table) => [table, slotOf(table)]);
    return Object.fromEntries(
      [...slots, ['*', EVERYTHING] as const].map(([name, slot]) => [
        name,
        { epoch: epochs.epoch(slot), structure: epochs.structure(slot) },
      ]),
    );
  }
}

export function slotOf(table: string): number {
  return tableSlot(APP_SCHEMA, table);
}
