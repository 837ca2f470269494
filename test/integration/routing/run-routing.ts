import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import { GeneralLog } from '../../support/general-log.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { DifferentialFixture } from '../differential/fixture.ts';
import { runPrepared } from '../differential/prepared-step.ts';
import { readAnswer } from '../differential/wire-answer.ts';
import { BASE_CAPABILITIES, WireClient } from '../differential/wire-client.ts';
import { Capability, Command } from '../differential/wire-constants.ts';
import { WireReader } from '../differential/wire-reader.ts';
import type { WireRecord } from '../differential/wire-record.ts';
import { loadRoutingTable, type RoutingCase, type RoutingStep } from './routing-table.ts';

type Server = RoutingCase['servers'][number];

const UNSAFE_OBJECTS = `
  CREATE TABLE diff.f_scratch (id INT PRIMARY KEY AUTO_INCREMENT, n INT);
  INSERT INTO diff.f_scratch (n) VALUES (1), (2);
  CREATE TABLE diff2.t_other_id (id INT);
  CREATE TABLE diff.t_written (a INT);
  CREATE FUNCTION diff.fn_writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA
    BEGIN INSERT INTO diff.t_written VALUES (1); RETURN 1; END;
  CREATE VIEW diff.v_calls_function AS SELECT diff.f_double(1) AS d;
  CREATE VIEW diff.v_over_view AS SELECT d FROM diff.v_calls_function`;

async function prepareRouting(set: ReplicationSet): Promise<void> {
  const fixture = await DifferentialFixture.create(set);
  await fixture.close();
  await set.primary.query(UNSAFE_OBJECTS);
  if (set.flavor === 'mariadb') await set.primary.query('CREATE SEQUENCE diff.s_routing');
  await set.waitForSync();
}

/**
 * Runs the table through Sluice; the servers' own logs say who executed each statement.
 * @param rules query rules that are in its way: what the table sends to the primary must go there all the same.
 */
export async function runRouting(
  t: Test,
  set: ReplicationSet,
  server: Server,
  rules: readonly object[] = [],
): Promise<void> {
  await prepareRouting(set);
  const sluice = await SluiceProcess.startFor(set, {
    config: { users: [APP_ACCOUNT], queryRules: rules, causalReads: { waitMs: 5000 } },
  });
  t.teardown(() => sluice.dispose());
  await waitForReplicas(sluice, set, rules.length > 0);
  const executors = await Executors.of(set);
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  await admin.query('USE diff');
  for (const testCase of loadRoutingTable()) {
    if (!testCase.servers.includes(server)) continue;
    // A case before this one may have changed views: until these are read again no read of a table is proven.
    await waitForReplicas(sluice, set, rules.length > 0);
    await t.test(testCase.name, (t) =>
      new RoutingRun({ t, sluice, set, executors, admin, testCase, hasRules: rules.length > 0 }).run(server),
    );
  }
}

/**
 * Until reads come from a replica: the topology is known and the view definitions are read. Without rules also one of a
 * view, with all that was written before: as long as that is not known the primary answers.
 */
async function waitForReplicas(sluice: SluiceProcess, set: ReplicationSet, hasRules: boolean): Promise<void> {
  const probe = hasRules
    ? '/* sluice:replica */ SELECT @@server_id AS id FROM diff.f_int LIMIT 1'
    : 'SELECT @@server_id AS id FROM diff.f_view LIMIT 1';
  const connection = await sluice.connect();
  await waitUntil('a read is answered by a replica', async () => {
    const [rows] = await connection.query(probe);
    return set.nameOf((rows as { id: number }[])[0]?.id ?? 0).startsWith('replica');
  });
  await connection.end();
}

/** Who executed what for a client: a replica's own threads write the primary's statements into its log again. */
class Executors {
  readonly log: GeneralLog;
  readonly #appliers: ReadonlySet<string>;

  private constructor(log: GeneralLog, appliers: ReadonlySet<string>) {
    this.log = log;
    this.#appliers = appliers;
  }

  static async of(set: ReplicationSet): Promise<Executors> {
    const appliers = new Set<string>();
    for (const { name, query } of set.replicas.map((one) => ({
      name: one.name,
      query: one.query.bind(one),
    }))) {
      const sql = "SELECT id FROM information_schema.processlist WHERE user = 'system user'";
      for (const row of await query<Record<string, number>>(sql))
        appliers.add(`${name} ${Object.values(row)[0]}`);
    }
    return new Executors(await GeneralLog.start(set.servers), appliers);
  }

  async executedBy(marker: string): Promise<string[]> {
    const entries = await this.log.entries();
    return entries
      .filter(({ command, argument }) => /^(Query|Execute)$/.test(command) && argument.includes(marker))
      .filter(({ server, threadId }) => !this.#appliers.has(`${server} ${threadId}`))
      .map(({ server }) => server);
  }
}

interface RoutingRunOptions {
  readonly t: Test;
  readonly sluice: SluiceProcess;
  readonly set: ReplicationSet;
  readonly executors: Executors;
  readonly admin: Connection;
  readonly testCase: RoutingCase;
  readonly hasRules: boolean;
}

/** What a new session does not have: EXPLAIN ROUTE, which asks for one, cannot give these. */
const REASONS_OF_SESSIONS: ReadonlySet<string> = new Set([
  'in-transaction',
  'read-only-transaction',
  'autocommit-off',
  'pinned',
]);

class RoutingRun {
  readonly #t: Test;
  readonly #sluice: SluiceProcess;
  readonly #set: ReplicationSet;
  readonly #executors: Executors;
  readonly #admin: Connection;
  readonly #case: RoutingCase;
  readonly #hasRules: boolean;
  readonly #sessions = new Map<string, WireClient>();
  readonly #lastServers = new Map<string, string>();
  /** Sessions whose SET or USE changes what later statements mean. */
  readonly #changed = new Set<string>();

  constructor(options: RoutingRunOptions) {
    this.#t = options.t;
    this.#sluice = options.sluice;
    this.#set = options.set;
    this.#executors = options.executors;
    this.#admin = options.admin;
    this.#case = options.testCase;
    this.#hasRules = options.hasRules;
  }

  async run(server: Server): Promise<void> {
    try {
      for (const step of this.#case.steps) {
        if (step.servers.includes(server)) await this.#step(step);
      }
    } finally {
      for (const client of this.#sessions.values()) client.close();
      // The next case's sessions must find what this one wrote on every replica.
      await this.#set.waitForSync();
    }
  }

  async #step(step: RoutingStep): Promise<void> {
    const marker = nextMarker();
    const client = await this.#session(step.session);
    await this.#executors.log.mark();
    const records = await execute(client, step, marker);
    const label = step.sql ?? step.bytes ?? step.prepare ?? '';
    const error = records.find(({ kind }) => kind === 'err');
    this.#t.equal(error !== undefined, step.error, `${label}: ${error?.fields.message ?? 'no error'}`);
    if (step.value !== undefined) this.#t.equal(firstValue(records), step.value, `${label}: value`);
    await this.#checkReason(step, label);
    if (step.target === undefined || (this.#hasRules && step.target !== 'primary')) return;
    const servers = await this.#executors.executedBy(marker);
    this.#t.equal(servers.length, 1, `${label}: executed once (${servers.join(', ')})`);
    this.#checkTarget(step, label, servers[0] ?? 'nobody');
  }

  /** Asks the admin port, as an operator would. */
  async #checkReason(step: RoutingStep, label: string): Promise<void> {
    const { sql, reason } = step;
    if (sql !== undefined && /^(\/\*.*?\*\/\s*)?(SET|USE)\b/i.test(sql)) this.#changed.add(step.session);
    if (sql === undefined || reason === undefined || REASONS_OF_SESSIONS.has(reason)) return;
    if (this.#changed.has(step.session) || this.#hasRules) return;
    const [rows] = await this.#admin.query<RowDataPacket[]>(`EXPLAIN ROUTE ${sql.replace('{m}', '')}`);
    const value = (name: string): string => String(rows.find((row) => row.step === name)?.value);
    const reasons = [value('reason'), value('class_reason').split(/[ :(]/)[0]];
    this.#t.ok(reasons.includes(reason), `${label}: because of ${reason} (${reasons.join(', ')})`);
  }

  #checkTarget(step: RoutingStep, label: string, server: string): void {
    const kind = server === this.#set.primary.name ? 'primary' : server.replace(/\d+$/, '');
    const last = this.#lastServers.get(step.session);
    this.#lastServers.set(step.session, server);
    if (step.target === 'same') this.#t.equal(server, last, `${label}: the same server as before`);
    else if (Array.isArray(step.target))
      this.#t.ok(
        step.target.some((one) => one === kind),
        `${label}: ${kind}`,
      );
    else this.#t.equal(kind, step.target, `${label}: goes to a ${step.target}${reasonText(step)}`);
  }

  async #session(name: string): Promise<WireClient> {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const multi = this.#case.multiStatements ? Capability.multiStatements : 0;
    const client = await WireClient.connect({
      host: this.#sluice.host,
      port: this.#sluice.port,
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      schema: 'diff',
      collationId: 45,
      capabilities: BASE_CAPABILITIES | Capability.deprecateEof | multi,
    });
    this.#t.equal(client.greeting.kind, 'ok', 'connected');
    this.#sessions.set(name, client);
    return client;
  }
}

let markers = 0;

function nextMarker(): string {
  markers++;
  return `rt${markers}x`;
}

function reasonText(step: RoutingStep): string {
  return step.reason === undefined ? '' : ` (${step.reason})`;
}

async function execute(client: WireClient, step: RoutingStep, marker: string): Promise<WireRecord[]> {
  if (step.prepare !== undefined) {
    const sql = mark(step.prepare, marker);
    return runPrepared(client, { sql, executes: [[]], longData: [], short: false, reset: false });
  }
  const text =
    step.bytes === undefined
      ? Buffer.from(mark(step.sql ?? '', marker))
      : Buffer.from(mark(step.bytes, marker), 'latin1');
  client.command(Command.query, text);
  return readAnswer(client);
}

function mark(sql: string, marker: string): string {
  const comment = `/* ${marker} */`;
  return sql.includes('{m}') ? sql.replace('{m}', comment) : `${comment} ${sql}`;
}

function firstValue(records: readonly WireRecord[]): string | null {
  const row = records.find(({ kind }) => kind === 'row')?.fields.bytes;
  return typeof row === 'string'
    ? new WireReader(Buffer.from(row, 'latin1')).lenencBytes().toString('utf8')
    : null;
}
