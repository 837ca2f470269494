/** Real servers behind a Sluice that fails over by itself, and what it told. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { DatabaseServer } from '../../support/database-server.ts';
import {
  REPLICATION_ACCOUNT,
  ReplicationSet,
  type ReplicationSetOptions,
} from '../../support/replication-set.ts';
import {
  type ConfigObject,
  freeSluicePorts,
  mergeConfig,
  SluiceProcess,
} from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

export interface StageOptions extends ReplicationSetOptions {
  /** Laid over that of a Sluice that fails over by itself. */
  readonly config?: ConfigObject;
}

export interface StageEvent {
  readonly event: string;
  readonly address: string;
  readonly detail: string;
}

/** Of a server, as SHOW TOPOLOGY has it. */
export interface StageServer {
  readonly role: string;
  readonly status: string;
  readonly reason: string;
  readonly source: string | null;
  readonly replication_running: string | null;
}

/** A failover, and the start of a server that was killed: tens of seconds on a slow machine. */
const LONG = { timeoutMs: 90_000 };

/** What no change of the primary tells of: heartbeats, lag and the like. */
const OF_FAILOVER =
  /^(?:primary-|failover-|operation-(?:started|ended)|server-(?:fenced|kept-out)|two-primaries)/;

export class FailoverStage {
  readonly set: ReplicationSet;
  sluice!: SluiceProcess;
  admin!: Connection;
  #config: ConfigObject;

  private constructor(options: StageOptions) {
    this.set = new ReplicationSet({
      ...options,
      sql: ['CREATE TABLE app.t (a INT PRIMARY KEY)', ...(options.sql ?? [])],
    });
    this.#config = options.config ?? {};
  }

  static async start(options: StageOptions): Promise<FailoverStage> {
    const stage = new FailoverStage(options);
    await stage.set.start();
    await stage.startSluice();
    return stage;
  }

  /** @param isPrimaryAwaited whether it is ready only when it has one */
  async startSluice(over: ConfigObject = {}, isPrimaryAwaited = true): Promise<void> {
    const config = {
      servers: this.set.servers.map(({ address }) => address),
      failover: { automatic: true, confirmMs: 300, replication: REPLICATION_ACCOUNT },
      // Transactions of Sluice's own would make each old primary one with more than its heir.
      monitor: { heartbeat: { write: false }, timeoutMs: 1500 },
      workers: 1,
    };
    const all = mergeConfig(mergeConfig(config, this.#config), over);
    const ports = await freeSluicePorts();
    const readyUrl = isPrimaryAwaited ? {} : { readyUrl: `http://127.0.0.1:${ports.http}/healthz` };
    this.sluice = await SluiceProcess.startFor(this.set, { config: all, ports, ...readyUrl });
    this.admin = await waitUntil('operators are let in', () => this.sluice.adminConnection(), LONG);
  }

  async stopSluice(): Promise<void> {
    this.admin.destroy();
    await this.sluice.dispose();
  }

  async dispose(): Promise<void> {
    await this.stopSluice();
    await this.set.dispose();
  }

  /** What happened around the primary since the start, in order; addresses as names of servers. */
  async events(): Promise<string[]> {
    const [rows] = await this.admin.query<(RowDataPacket & StageEvent)[]>('SHOW EVENTS');
    return rows.flatMap(({ event, address, detail }) => {
      if (!OF_FAILOVER.test(event)) return [];
      const words = /(?:operation|verdict|outcome|from|to)=\S+/g;
      const said = [...detail.matchAll(words)].map(([word]) => word).join(' ');
      return [this.named(`${event} ${address} ${said}`.replace(/\s+/g, ' ').trim())];
    });
  }

  /** Waits for the end of the n-th operation of this kind, and gives its steps: name, and what went wrong. */
  async steps(operation: string, count = 1): Promise<string[]> {
    const ended = async () => {
      const all = await this.events();
      return all.filter((text) => text.startsWith(`operation-ended operation=${operation}`)).length >= count;
    };
    await waitUntil(`${count} ${operation} have ended`, ended, LONG).catch(async (error: Error) => {
      throw new Error(`${error.message}; ${(await this.story()).join('\n')}`);
    });
    const [rows] = await this.admin.query<(RowDataPacket & StageEvent)[]>('SHOW EVENTS');
    const of = rows.filter(({ detail }) => detail.includes(`operation=${operation} `));
    const begin = of.findLastIndex(({ event }) => event === 'operation-started');
    return of.slice(begin).flatMap(({ event, detail }) => {
      if (event !== 'operation-step') return [];
      const [step, direction, ok] = ['step', 'direction', 'ok'].map((name) => fieldOf(detail, name));
      return [`${direction === 'undo' ? 'undo ' : ''}${step}${ok === 'true' ? '' : ' failed'}`];
    });
  }

  async story(): Promise<string[]> {
    const [rows] = await this.admin.query<(RowDataPacket & StageEvent)[]>('SHOW EVENTS');
    return rows.map(({ event, address, detail }) => this.named(`${event} ${address} ${detail}`));
  }

  async seeEvent(wanted: string | RegExp): Promise<void> {
    const isThere = async () =>
      (await this.story()).some((text) =>
        typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text),
      );
    await waitUntil(`${wanted} happens`, isThere, LONG).catch(async (error: Error) => {
      throw new Error(`${error.message}; ${(await this.story()).join('\n')}`);
    });
  }

  async topology(server: DatabaseServer): Promise<StageServer> {
    const [rows] = await this.admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
    const row = rows.find(({ address }) => address === server.address);
    if (row === undefined) throw new Error(`${server.name} is not in the topology`);
    return {
      ...(row as unknown as StageServer),
      source: row.source === null ? null : this.named(String(row.source)),
    };
  }

  async see(server: DatabaseServer, expected: Partial<StageServer>): Promise<void> {
    let last: StageServer | null = null;
    const isSo = async () => {
      last = await this.topology(server);
      return Object.entries(expected).every(([name, value]) => last?.[name as keyof StageServer] === value);
    };
    await waitUntil(`${server.name} is ${JSON.stringify(expected)}`, isSo, LONG).catch(
      async (error: Error) => {
        throw new Error(
          `${error.message}; it is ${JSON.stringify(last)}; ${(await this.story()).join('\n')}`,
        );
      },
    );
  }

  async seeCalm(): Promise<void> {
    await this.see(this.set.primary, { role: 'primary', status: 'ONLINE' });
    for (const replica of this.set.replicas)
      await this.see(replica, { role: 'replica', status: 'ONLINE', replication_running: 'YES' });
  }

  /** Inserts through Sluice, again while there is no primary, until it is acknowledged. */
  async write(value: number): Promise<void> {
    await waitUntil(
      `${value} is written`,
      async () => {
        const client = await this.sluice.connect();
        try {
          await client.query('INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = a', [value]);
          return true;
        } finally {
          client.destroy();
        }
      },
      LONG,
    );
  }

  async isReadOnly(server: DatabaseServer): Promise<boolean> {
    return (await server.queryValue('SELECT @@global.read_only')) === '1';
  }

  named(text: string): string {
    let result = text;
    for (const { address, name } of this.set.servers) result = result.replaceAll(address, name);
    return result;
  }
}

function fieldOf(detail: string, name: string): string {
  return new RegExp(`(?:^| )${name}=(\\S+)`).exec(detail)?.[1] ?? '';
}
