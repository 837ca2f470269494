/** The tables of statistics as their providers fill them: their shape, and what tools ask of them. */

import t from 'tap';
import type { SqlRow } from '../../../../src/common/admin-tables/admin-table.ts';
import { MONITOR_TABLES, STATS_TABLES } from '../../../../src/common/admin-tables/stats-tables.ts';
import { StatementCounter, StatementSort } from '../../../../src/common/shared-statistics.ts';
import {
  ALL_VIRTUAL_TABLES,
  virtualTableNamed,
} from '../../../../src/control/admin/virtual-tables/all-virtual-tables.ts';
import type { DigestRow } from '../../../../src/control/statistics/merge-digests.ts';
import { COMMAND_NAMES } from '../../../../src/sql/command-counter.ts';
import { CheckName } from '../../../../src/topology/server-probe.ts';
import { FakeAdminState, PRIMARY } from './fake-admin-state.ts';
import { errorRecord, sessionRecord } from './made-records.ts';

const DIGEST: DigestRow = {
  hostgroup: 1,
  schema: 'shop',
  username: 'app',
  clientAddress: '',
  digest: '0x0123456789ABCDEF',
  digestText: 'SELECT ?',
  count: 12,
  countError: 1,
  firstSeen: 1_700_000_000,
  lastSeen: 1_700_000_009,
  sumMicros: 4000,
  minMicros: 100,
  maxMicros: 900,
  waitMicros: 5,
  rowsAffected: 3,
  rowsSent: 4,
  bytes: 700,
  errors: 2,
  p50Micros: 300,
  p95Micros: 800,
  p99Micros: 900,
  target: 'replica',
  reason: 'proven-read',
};

/** The names that Datadog's integration reads. */
const DATADOG = [
  'ProxySQL_Uptime',
  'SQLite3_memory_bytes',
  'Active_Transactions',
  'Client_Connections_aborted',
  'Client_Connections_connected',
  'Client_Connections_created',
  'Server_Connections_aborted',
  'Server_Connections_connected',
  'Server_Connections_created',
  'Client_Connections_non_idle',
  'Backend_query_time_nsec',
  'mysql_backend_buffers_bytes',
  'mysql_frontend_buffers_bytes',
  'mysql_session_internal_bytes',
  'MySQL_Thread_Workers',
  'MySQL_Monitor_Workers',
  'ConnPool_get_conn_success',
  'ConnPool_get_conn_failure',
  'ConnPool_get_conn_immediate',
  'Questions',
  'Slow_queries',
  'ConnPool_memory_bytes',
  'Stmt_Client_Active_Total',
  'Stmt_Client_Active_Unique',
  'Stmt_Server_Active_Total',
  'Stmt_Server_Active_Unique',
  'Stmt_Cached',
  'Query_Cache_Memory_bytes',
  'Query_Cache_Entries',
  'Query_Cache_Purged',
  'Query_Cache_bytes_IN',
  'Query_Cache_bytes_OUT',
  'Query_Cache_count_GET',
  'Query_Cache_count_GET_OK',
  'Query_Cache_count_SET',
  'Query_Processor_time_nsec',
];

const RULED = { multiplex: true, policy: 'least-connections', hashKey: 'statement' } as const;

function busyState(): FakeAdminState {
  const state = new FakeAdminState();
  state.digestRows = [DIGEST];
  state.errorRecords = [errorRecord(), errorRecord({ server: '', hostgroup: -1 })];
  state.hostgroups = [
    {
      id: 0,
      kind: 'writer',
      pair: null,
      ...RULED,
      members: [{ address: PRIMARY, weight: 1, status: 'ONLINE', verdict: 'fit', zone: '', warming: null }],
    },
    {
      id: 7,
      kind: 'static',
      pair: null,
      ...RULED,
      members: [
        { address: PRIMARY, weight: 1, status: 'ONLINE', verdict: 'lagging', zone: '', warming: null },
      ],
    },
  ];
  state.inspected = {
    ...state.inspected,
    prepared: [0, 1].map((worker) => ({
      worker,
      schema: 'shop',
      username: 'app',
      digest: '0x1',
      digestText: 'SELECT ?',
      clientStatements: 3,
      parameters: 1,
    })),
    idleConnections: [
      {
        worker: 1,
        serverThreadId: 17,
        server: '[2001:db8::3]:3307',
        hostgroup: 1,
        username: 'app',
        schema: 'shop',
        timeZone: 'SYSTEM',
        sqlMode: '',
        autocommit: false,
        idleMs: 12,
        ageMs: 500,
        statements: 4,
      },
    ],
    sessions: [
      sessionRecord({ server: null, client: '', schema: null, state: 'idle' }),
      sessionRecord({ client: '[2001:db8::9]:4000', server: PRIMARY }),
    ],
  };
  const run = {
    address: PRIMARY,
    host: '10.0.0.1',
    port: 3306,
    startedAtMs: 1_700_000_000_000.5,
    durationMicros: 420,
  };
  const good = { ...run, error: '', readOnly: null, lagMs: null };
  const { checks } = state.statistics;
  checks.add(CheckName.ping, good);
  checks.add(CheckName.ping, { ...good, error: 'no answer within 800 ms' });
  checks.add(CheckName.readOnly, { ...good, readOnly: true });
  checks.add(CheckName.replication, { ...good, lagMs: 1200 });
  checks.add(CheckName.connect, good);
  return state;
}

async function rowsOf(state: FakeAdminState, name: string): Promise<SqlRow[]> {
  const rows: SqlRow[] = [];
  for await (const row of await virtualTableNamed(name)!.rows(state)) rows.push(row);
  return rows;
}

/** As objects, by the columns of the table. */
async function table(state: FakeAdminState, name: string): Promise<Record<string, unknown>[]> {
  const { columns } = [...STATS_TABLES, ...MONITOR_TABLES].find((one) => one.name === name)!;
  const rows = await rowsOf(state, name);
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

t.test('every provider fills a table that there is, and all its columns', async (t) => {
  const definitions = new Map([...STATS_TABLES, ...MONITOR_TABLES].map((one) => [one.name, one]));
  for (const { table: name } of ALL_VIRTUAL_TABLES) {
    const definition = definitions.get(name);
    if (definition === undefined) continue;
    const rows = await rowsOf(busyState(), name);
    t.ok(rows.length > 0 || name === 'stats_mysql_query_rules', `${name} has rows`);
    for (const row of rows) {
      t.equal(row.length, definition.columns.length, name);
      // Exporters in Go read texts into strings: NULL is an error for them.
      if (definition.schema === 'stats') t.notOk(row.includes(null), `${name} holds no NULL`);
    }
  }
});

t.test('the names that tools ask for', async (t) => {
  const state = busyState();
  const names = (await rowsOf(state, 'stats_mysql_global')).map(([name]) => name);
  t.equal(new Set(names).size, names.length, 'each once');
  for (const name of DATADOG) t.ok(names.includes(name), name);
  const memory = (await rowsOf(state, 'stats_memory_metrics')).map(([name]) => name);
  for (const name of [
    'jemalloc_resident',
    'Auth_memory',
    'query_digest_memory',
    'stack_memory_mysql_threads',
  ])
    t.ok(memory.includes(name), name);
  const commands = (await rowsOf(state, 'stats_mysql_commands_counters')).map(([name]) => name);
  t.strictSame(commands, COMMAND_NAMES);
});

t.test('values of the global variables', async (t) => {
  const state = busyState();
  const worker = state.shared.worker(1);
  worker.add(StatementCounter.backendMicros, 1500);
  worker.add(StatementCounter.openTransactions, 2);
  worker.addStatement(COMMAND_NAMES.indexOf('COMMIT'), 0, StatementSort.write, 90);
  worker.addProtocolCommand(22);
  const values = Object.fromEntries(await rowsOf(state, 'stats_mysql_global'));
  t.match(values, {
    Questions: '111',
    Client_Connections_connected: '12',
    Backend_query_time_nsec: '1500000',
    Active_Transactions: '2',
    Com_commit: '1',
    Com_frontend_stmt_prepare: '1',
    Server_Connections_connected: '9',
    Queries_backends_bytes_sent: '1000',
    MySQL_Thread_Workers: '2',
  });
});

t.test('commands by their time', async (t) => {
  const state = busyState();
  const select = COMMAND_NAMES.indexOf('SELECT');
  for (const [worker, micros] of [
    [0, 100],
    [0, 101],
    [1, 5000],
    [1, 10_000_001],
  ] as const)
    state.shared.worker(worker).addStatement(select, 1, StatementSort.read, micros);
  const found = (await table(state, 'stats_mysql_commands_counters')).find(
    ({ Command }) => Command === 'SELECT',
  );
  t.match(found, {
    Total_Time_us: 10_005_202,
    Total_cnt: 4,
    cnt_100us: 1,
    cnt_500us: 1,
    cnt_1ms: 0,
    cnt_5ms: 1,
    cnt_10s: 0,
    cnt_INFs: 1,
  });
});

t.test('a pool shows in every hostgroup of its server, and counts since the last reset', async (t) => {
  const state = busyState();
  const first = await table(state, 'stats_mysql_connection_pool_reset');
  t.strictSame(
    first.map(({ hostgroup, status }) => [hostgroup, status]),
    [
      [0, 'ONLINE'],
      [7, 'SHUNNED_REPLICATION_LAG'],
    ],
  );
  t.match(first[0], {
    srv_host: '10.0.0.1',
    srv_port: 3306,
    ConnUsed: 4,
    ConnFree: 5,
    ConnOK: 10,
    ConnERR: 1,
  });
  t.match(first[0], { MaxConnUsed: 6, Bytes_data_sent: 1000, Bytes_data_recv: 2000, Latency_us: 350 });
  const [then] = await table(state, 'stats_mysql_connection_pool');
  t.match(then, { ConnUsed: 4, ConnFree: 5, ConnOK: 0, ConnERR: 0, Queries: 0, Bytes_data_sent: 0 });
  t.equal(state.counters().servers[0]!.connects, 10, 'the counter itself goes on');
});

t.test('a look at a table …_reset resets, TRUNCATE does, and a look at the other one does not', async (t) => {
  const state = busyState();
  await rowsOf(state, 'stats_mysql_query_digest');
  await rowsOf(state, 'stats_mysql_errors');
  t.strictSame(state.resets, []);
  await rowsOf(state, 'stats_mysql_query_digest_reset');
  await rowsOf(state, 'stats_mysql_errors_reset');
  t.strictSame(state.resets, ['digests', 'errors']);
  for (const name of ['stats_mysql_query_digest', 'stats_mysql_errors_reset'])
    await virtualTableNamed(name)!.reset!(state);
  t.strictSame(state.resets, ['digests', 'errors', 'digests', 'errors']);
});

t.test('digests, errors, processes, users', async (t) => {
  const state = busyState();
  t.match(await table(state, 'stats_mysql_query_digest'), [
    {
      hostgroup: 1,
      schemaname: 'shop',
      username: 'app',
      digest: DIGEST.digest,
      count_star: 12,
      sum_time: 4000,
    },
  ]);
  t.match(await table(state, 'stats_mysql_errors'), [
    { hostname: '10.0.0.1', port: 3306, errno: 1146 },
    { hostname: '', port: 0, hostgroup: -1 },
  ]);
  t.match(await table(state, 'stats_mysql_processlist'), [
    {
      user: 'app',
      db: '',
      cli_host: '',
      cli_port: 0,
      hostgroup: -1,
      srv_host: '',
      command: 'Sleep',
      info: '',
    },
    { cli_host: '2001:db8::9', cli_port: 4000, hostgroup: 0, srv_host: '10.0.0.1', srv_port: 3306 },
  ]);
  t.strictSame(await rowsOf(state, 'stats_mysql_users'), [['app', 3, 0]]);
});

t.test('prepared statements of all workers, and idle connections', async (t) => {
  const state = busyState();
  t.strictSame(await rowsOf(state, 'stats_mysql_prepared_statements_info'), [
    [1, 'shop', 'app', '0x1', 6, 0, 0, 1, 'SELECT ?'],
  ]);
  t.match(await table(state, 'stats_mysql_free_connections'), [
    { fd: 17, srv_host: '2001:db8::3', srv_port: 3307, user: 'app', autocommit: '0', idle_ms: 12 },
  ]);
});

t.test('the checks of the monitor', async (t) => {
  const state = busyState();
  t.strictSame(await rowsOf(state, 'mysql_server_ping_log'), [
    ['10.0.0.1', 3306, 1_700_000_000_000_500, 420, null],
    ['10.0.0.1', 3306, 1_700_000_000_000_500, 0, 'no answer within 800 ms'],
  ]);
  t.match(await table(state, 'mysql_server_read_only_log'), [{ read_only: 1, error: null }]);
  t.match(await table(state, 'mysql_server_replication_lag_log'), [{ repl_lag: 2, error: null }]);
});
