/**
 * What a statement is said to write is compared with what it writes: the table maps of a server's binary log in row format,
 * and the checksums of all tables, since what foreign keys do is in no log.
 */

import { type Connection, createConnection } from 'mysql2/promise';
import t from 'tap';
import { tableSlot } from '../../../src/common/table-slots.ts';
import { parseServerVersion } from '../../../src/control/monitor/server-version.ts';
import { Plan } from '../../../src/data/router/plan.ts';
import { tableCatalogOf, UNKNOWN_TABLES } from '../../../src/data/router/table-catalog.ts';
import { classify } from '../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { MonitorUnderTest } from '../monitor/monitor-under-test.ts';
import { MAY_WRITE_ANYTHING, OWN_WRITES, ROWS, SCHEMA, WRITES } from './written-tables-corpus.ts';

t.setTimeout(400_000);

const TABLE_MAP = /table_id: \d+ \((.+)\)$/;

async function run(connection: Connection, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await connection.query(sql);
}

/** `schema.table` of every table map event since `from`, and where the log ends now. */
async function changedSince(
  connection: Connection,
  from: { File: string; Position: number },
): Promise<readonly string[]> {
  const [events] = await connection.query(`SHOW BINLOG EVENTS IN '${from.File}' FROM ${from.Position}`);
  const names = (events as { Event_type: string; Info: string }[])
    .filter(({ Event_type, Info }) => Event_type === 'Table_map' && !Info.includes('(sluice.'))
    .map(({ Info }) => TABLE_MAP.exec(Info)?.[1] ?? Info);
  return [...new Set(names)].sort();
}

async function position(connection: Connection): Promise<{ File: string; Position: number }> {
  const [rows] = await connection.query('SHOW MASTER STATUS');
  return (rows as { File: string; Position: number }[])[0]!;
}

function slotOf(name: string): number {
  const [schema = '', table = ''] = name.split('.');
  return tableSlot(schema, table);
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({
      flavor,
      replicas: 0,
      args: ['--log-bin-trust-function-creators=1', '--character-set-server=utf8mb4'],
      sql: SCHEMA,
    }).start();
    t.teardown(() => set.dispose());
    const subject = new MonitorUnderTest(set.servers);
    t.teardown(() => subject.monitor.stop());
    await subject.monitor.start();
    const connection = await createConnection({
      socketPath: set.primary.socket,
      user: 'root',
      database: 'd',
      multipleStatements: true,
    });
    t.teardown(() => connection.destroy());
    await connection.query('SET group_concat_max_len = 100000');
    const { tables } = subject.monitor.catalog;
    t.match(tables, { complete: true, incompleteReason: '' });
    const catalog = tableCatalogOf(tables, () => true, UNKNOWN_TABLES);
    const version = parseServerVersion(subject.monitor.topology.servers[0]!.version);
    const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId: version.id });
    const slotsOf = (sql: string): Int32Array | null => {
      const buf = Buffer.from(sql);
      return new Plan(classify(buf, 0, buf.length, context), buf, 0, 0, 0).writeSlots('d', catalog);
    };
    const cleanUp = async (): Promise<void> => {
      await run(connection, ['ROLLBACK', 'SET FOREIGN_KEY_CHECKS = 0']);
      const [rows] = await connection.query(
        "SELECT CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') AS name FROM information_schema.TABLES " +
          "WHERE TABLE_SCHEMA IN ('d', 'D-2') AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> 'merged'",
      );
      for (const { name } of rows as { name: string }[]) await connection.query(`DELETE FROM ${name}`);
      await run(connection, ['SET FOREIGN_KEY_CHECKS = 1', ...ROWS]);
    };

    const checksums = async (): Promise<ReadonlyMap<string, string>> => {
      const [rows] = await connection.query(
        "SELECT GROUP_CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') AS names FROM information_schema.TABLES " +
          "WHERE TABLE_SCHEMA IN ('d', 'D-2') AND TABLE_TYPE = 'BASE TABLE'",
      );
      const [sums] = await connection.query(`CHECKSUM TABLE ${(rows as { names: string }[])[0]!.names}`);
      return new Map(
        (sums as { Table: string; Checksum: number }[]).map(({ Table, Checksum }) => [Table, `${Checksum}`]),
      );
    };

    for (const sql of [...WRITES, ...OWN_WRITES[flavor]]) {
      await cleanUp();
      const from = await position(connection);
      const before = await checksums();
      await connection.query(sql);
      const logged = await changedSince(connection, from);
      const after = await checksums();
      const others = [...after].filter(([name, sum]) => before.get(name) !== sum).map(([name]) => name);
      const changed = [...new Set([...logged, ...others])];
      const slots = slotsOf(sql);
      t.equal(slots === null, MAY_WRITE_ANYTHING.has(sql), `told: ${sql}`);
      if (slots === null) continue;
      const missing = changed.filter((name) => !slots.includes(slotOf(name)));
      t.same(missing, [], sql);
    }

    await t.test('what belongs together', async (t) => {
      const reached = (name: string): string => {
        const slots = slotsOf(`INSERT INTO ${name} SELECT * FROM plain`);
        const all = [
          'a',
          'b',
          'c',
          'log',
          'log2',
          'parent',
          'child',
          'nullified',
          'strict',
          'plain',
          'm1',
          'v',
          'vv',
        ];
        if (slots === null) return 'all';
        const names = [...all.map((table) => `d.${table}`), 'D-2.other t', 'D-2.größe'];
        return names.filter((other) => slots.includes(slotOf(other))).join(' ');
      };
      const table: Readonly<Record<string, string>> = {
        plain: 'd.plain',
        a: 'd.a',
        b: 'd.b d.log D-2.other t',
        c: 'd.c d.log2',
        log: 'd.log D-2.other t',
        vv: 'd.a d.v d.vv',
        parent: 'd.parent d.child d.nullified D-2.größe',
        child: 'd.child D-2.größe',
        strict: 'd.strict',
        merged: 'all',
        mixed: 'all',
        calls: 'all',
      };
      for (const [name, expected] of Object.entries(table)) t.equal(reached(name), expected, name);
    });

    await t.test(
      'an account that may not see triggers: unknown, and the grant to give is named',
      async (t) => {
        await connection.query(`REVOKE TRIGGER ON *.* FROM monitor@'%'`);
        const before = subject.monitor.catalog.tables.version;
        await subject.monitor.refreshCatalog();
        t.match(subject.monitor.catalog, {
          complete: true,
          tables: {
            complete: false,
            incompleteReason: /lacks TRIGGER ON \*\.\*; GRANT TRIGGER/,
            relations: null,
          },
        });
        t.ok(subject.monitor.catalog.tables.version > before);
        await connection.query(`GRANT TRIGGER ON *.* TO monitor@'%'`);
        await subject.monitor.refreshCatalog();
        t.match(subject.monitor.catalog.tables, { complete: true, incompleteReason: '' });
        const same = subject.monitor.catalog;
        await subject.monitor.refreshCatalog();
        t.equal(subject.monitor.catalog, same, 'nothing new, the same value');
      },
    );
    await subject.monitor.stop();
  });
}
