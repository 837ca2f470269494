/**
 * Real servers are brought to where their binlog cannot be followed: each time strong entries are suspended, all that an
 * operator looks at says why and what to do, nobody is answered from what is not vouched for, and it goes on by itself.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import { BINLOG_EVENT_HEADER_BYTES, BinlogEventType, isRowsEvent } from '../../../protocol/index.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { altered, editBinlog, type FileEvent } from '../../support/binlog-edit.ts';
import { FollowedEpochs } from '../../support/followed-epochs.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const isNightly = process.env.SLUICE_TEST_NIGHTLY === '1';
const BOUND_MS = 500;
const SERVER_ID = 4_200_000_001;
/** Neither server has such an event. */
const UNKNOWN_TYPE = 250;
const TYPE_OFFSET = 4;
const TIMEOUT = { timeoutMs: 30_000 };

interface Subject {
  readonly t: Test;
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  readonly admin: Connection;
  readonly client: Connection;
}

interface Suspension {
  readonly name: string;
  readonly cause: string;
  /** Part of what an operator is to do. */
  readonly remedy: RegExp;
  readonly provoke: (subject: Subject) => Promise<unknown>;
  /** Without it, it goes on after a while. */
  readonly undo?: (subject: Subject) => Promise<unknown>;
  readonly only?: ServerFlavor;
  /** The server is started anew for it. */
  readonly isSlow?: boolean;
}

async function rows(connection: Connection, sql: string): Promise<RowDataPacket[]> {
  return (await connection.query<RowDataPacket[]>(sql))[0];
}

async function status({ admin }: Subject): Promise<Record<string, string>> {
  const found = await rows(admin, 'SHOW CACHE STATUS');
  return Object.fromEntries(found.map(({ Variable_name: name, Value: value }) => [name, value]));
}

async function metric({ sluice }: Subject, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${sluice.httpPort}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

async function read({ client }: Subject): Promise<string> {
  const [row] = await rows(client, 'SELECT v FROM t WHERE id = 1');
  const [counted] = await rows(client, 'SELECT COUNT(*) AS n FROM m');
  return `${row?.v} ${counted?.n}`;
}

/** As the server has it, whatever Sluice says. */
async function truth({ set }: Subject): Promise<string> {
  const count = await set.primary.queryValue('SELECT COUNT(*) FROM app.m');
  return `${await set.primary.queryValue('SELECT v FROM app.t WHERE id = 1')} ${count}`;
}

async function hits(subject: Subject): Promise<number> {
  return Number((await status(subject)).hits);
}

async function isServing(subject: Subject): Promise<void> {
  await waitUntil(
    'strong entries are served',
    async () => {
      const before = await hits(subject);
      for (let i = 0; i < 4; i++) await read(subject);
      return (await hits(subject)) >= before + 2;
    },
    TIMEOUT,
  );
}

/** A write past Sluice is seen within the bound. */
async function seesForeign(subject: Subject, value: string): Promise<void> {
  const { set, t } = subject;
  await set.primary.query('UPDATE app.t SET v = ? WHERE id = 1', [value]);
  const since = performance.now();
  for (let askedMs = 0; !(await read(subject)).startsWith(value); askedMs = performance.now() - since)
    if (askedMs > BOUND_MS) return void t.fail(`${value} is not seen within the bound`);
}

/** While it stays suspended nothing is answered but by the server. */
async function servesNothing(subject: Subject, value: string): Promise<void> {
  const { set, t } = subject;
  const before = await hits(subject);
  await set.primary.query('UPDATE app.t SET v = ? WHERE id = 1', [value]);
  for (let i = 0; i < 3; i++) t.equal(await read(subject), await truth(subject), 'nothing old is served');
  t.equal(await hits(subject), before, 'nor anything else');
  t.match((await status(subject)).freshness, /strong entries are not served/);
  t.equal(await metric(subject, 'sluice_binlog_follower_state{state="suspended"}'), 1);
}

/** The follower's events behind the one with this number. */
async function told({ admin }: Subject, after: number): Promise<readonly string[]> {
  const events = await rows(admin, 'SHOW EVENTS');
  return events
    .filter(({ event, sequence }) => event === 'binlog-follower-changed' && Number(sequence) > after)
    .map(({ detail }) => String(detail));
}

async function lastEvent({ admin }: Subject): Promise<number> {
  return Math.max(...(await rows(admin, 'SHOW EVENTS')).map(({ sequence }) => Number(sequence)));
}

async function runCase(subject: Subject, { name, cause, remedy, provoke, undo }: Suspension): Promise<void> {
  const { t, sluice } = subject;
  const last = await lastEvent(subject);
  const linesBefore = sluice.log.length;
  const suspensions = await metric(subject, 'sluice_binlog_follower_suspensions_total');
  await provoke(subject);
  const isTold = (text: string): boolean => text.startsWith(`to=suspended reason="${cause}: `);
  const event = await waitUntil(
    'it is suspended',
    async () => (await told(subject, last)).find(isTold),
    TIMEOUT,
  );
  t.match(event, remedy, 'the event says what to do');
  const isLogged = ({ to, reason, remedy: todo }: (typeof sluice.log)[number]): boolean =>
    to === 'suspended' && String(reason).startsWith(`${cause}: `) && remedy.test(String(todo));
  await waitUntil('so does the log', () => sluice.log.slice(linesBefore).some(isLogged));
  t.ok((await metric(subject, 'sluice_binlog_follower_suspensions_total')) > suspensions, 'it is counted');
  if (undo !== undefined) {
    const { follower, follower_reason: reason, follower_remedy: shown } = await status(subject);
    t.equal(follower, 'suspended');
    t.match(reason, new RegExp(`^${cause}: `));
    t.match(shown, remedy);
    await servesNothing(subject, `${name}, suspended`);
    await undo(subject);
  }
  await waitUntil('it goes on', async () => (await status(subject)).follower === 'following', TIMEOUT);
  await seesForeign(subject, `${name}, over`);
  t.equal(await read(subject), await truth(subject), 'what was written meanwhile is seen');
  await isServing(subject);
}

/**
 * A write that Sluice has not heard of, whose events are another thing by the time that it does: the server is alone, with
 * nobody connected, when it is made.
 */
function writtenAlone(
  edit: (events: readonly FileEvent[]) => readonly FileEvent[],
): (subject: Subject) => Promise<void> {
  return async ({ set: { primary } }) => {
    await primary.restart(['--skip-networking=1']);
    await primary.query("UPDATE app.t SET v = 'alone' WHERE id = 1");
    const [place] = await primary.query<{ File: string }>('SHOW MASTER STATUS');
    await primary.stop();
    await editBinlog(primary, place!.File, edit);
    await primary.restart();
  };
}

/** @param change of the rows' event. */
function withRows(change: (event: FileEvent) => readonly FileEvent[]): ReturnType<typeof writtenAlone> {
  return writtenAlone((events) =>
    events.flatMap((event) => (isRowsEvent(event.eventType) ? change(event) : [event])),
  );
}

/** Several rows into a table without transactions, of which the binlog has no room for: the first ones stay. */
async function losesEvents({ set, t }: Subject): Promise<void> {
  const { primary } = set;
  await primary.query('SET GLOBAL max_binlog_stmt_cache_size = 4096, binlog_stmt_cache_size = 4096');
  const connection = await primary.rootConnection({ database: 'app' });
  try {
    const insert = "INSERT INTO m SELECT REPEAT('x', 20000) FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3) d";
    await t.rejects(connection.query(insert), { code: 'ER_STMT_CACHE_FULL' });
  } finally {
    await connection.end();
    await primary.query('SET GLOBAL max_binlog_stmt_cache_size = 1073741824');
  }
}

const restart = ({ set }: Subject): Promise<void> => set.primary.restart();
/** MySQL goes from one mode to its neighbour only. */
const gtidModes =
  (...modes: readonly string[]) =>
  async ({ set }: Subject): Promise<void> => {
    for (const mode of modes) await set.primary.query(`SET GLOBAL gtid_mode = ${mode}`);
  };

let rival: FollowedEpochs | null = null;

const SUSPENSIONS: readonly Suspension[] = [
  {
    name: 'events that the server has lost',
    cause: 'incident',
    remedy: /look into the log of the server/,
    provoke: losesEvents,
  },
  {
    name: 'no GTIDs',
    only: ServerFlavor.mysql,
    cause: 'no-gtids',
    remedy: /gtid_mode=ON/,
    provoke: gtidModes('ON_PERMISSIVE', 'OFF_PERMISSIVE', 'OFF'),
    undo: gtidModes('OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'),
  },
  {
    name: 'another reader with its server id',
    only: ServerFlavor.mariadb,
    cause: 'same-server-id',
    remedy: /cache\.follower\.serverId/,
    provoke: async ({ set }) => {
      rival = new FollowedEpochs({ account: MONITOR_ACCOUNT, serverId: SERVER_ID });
      rival.begin(set.primary);
    },
    undo: () => rival!.stop(),
  },
  {
    name: 'no binlog',
    isSlow: true,
    cause: 'no-binlog',
    remedy: /log_bin/,
    provoke: ({ set }) => set.primary.restart(['--skip-log-bin']),
    undo: restart,
  },
  {
    name: 'a schema that is left out',
    isSlow: true,
    cause: 'binlog-filtered',
    remedy: /binlog-ignore-db/,
    provoke: ({ set }) => set.primary.restart(['--binlog-ignore-db=app']),
    undo: restart,
  },
  {
    name: 'only some schemas',
    isSlow: true,
    cause: 'binlog-filtered',
    remedy: /binlog-do-db/,
    provoke: ({ set }) => set.primary.restart(['--binlog-do-db=other']),
    undo: restart,
  },
  {
    name: 'an event of another version',
    isSlow: true,
    cause: 'unknown-event',
    remedy: /begins anew/,
    provoke: withRows((event) => [altered(event, (bytes) => bytes.writeUInt8(UNKNOWN_TYPE, TYPE_OFFSET))]),
  },
  {
    name: 'an event that is cut short',
    isSlow: true,
    cause: 'unreadable-event',
    remedy: /begins anew/,
    provoke: writtenAlone((events) =>
      events.map((event) =>
        event.eventType === BinlogEventType.TABLE_MAP_EVENT
          ? altered(event, (bytes) => bytes.fill(0xff, BINLOG_EVENT_HEADER_BYTES + 8, bytes.length - 4))
          : event,
      ),
    ),
  },
  {
    name: 'an event with another checksum',
    isSlow: true,
    cause: 'wrong-checksum',
    remedy: /begins anew/,
    provoke: withRows(({ eventType, bytes }) => {
      const broken = Buffer.from(bytes);
      broken.writeUInt8(broken.at(-1)! ^ 1, broken.length - 1);
      return [{ eventType, bytes: broken }];
    }),
  },
  {
    name: 'rows of a table that is not named',
    isSlow: true,
    cause: 'unknown-table',
    remedy: /begins anew/,
    provoke: writtenAlone((events) =>
      events.filter(({ eventType }) => eventType !== BinlogEventType.TABLE_MAP_EVENT),
    ),
  },
];

export async function runSuspensions(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    sql: [
      'CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(100))',
      'CREATE TABLE app.m (v LONGTEXT) ENGINE=MyISAM',
      "INSERT INTO app.t VALUES (1, 'first')",
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const cache = {
    rules: [{ ruleId: 1, class: 'strong' }],
    follower: { maxLagMs: BOUND_MS, serverId: SERVER_ID },
  };
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, cache } });
  t.teardown(() => sluice.dispose());
  const admin = await sluice.adminConnection();
  const client = await sluice.connect();
  t.teardown(() => {
    admin.destroy();
    client.destroy();
  });
  await isServing({ t, set, sluice, admin, client });
  for (const one of SUSPENSIONS) {
    if ((one.only ?? flavor) !== flavor) continue;
    const skip = one.isSlow === true && !isNightly && 'with --nightly only';
    await t.test(one.name, { skip }, (t) => runCase({ t, set, sluice, admin, client }, one));
  }
}
