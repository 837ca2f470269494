/** The primary dies, or stands still, with transactions open: they go on at the one that takes its place. */

import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { promote } from '../support/moved-primary.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';

const CLIENTS = 8;

for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
  t.test(`${signal} of the primary`, async (t) => {
    const set = new ReplicationSet({
      replicas: 1,
      sql: [
        'CREATE TABLE app.account (id INT PRIMARY KEY, balance INT)',
        `INSERT INTO app.account VALUES ${Array.from({ length: 2 * CLIENTS }, (_, id) => `(${id + 1}, 100)`)}`,
        'CREATE TABLE app.entry (id INT AUTO_INCREMENT PRIMARY KEY, account INT)',
      ],
    });
    t.teardown(() => set.dispose());
    await set.start();
    const sluice = await SluiceProcess.startFor(set, {
      config: {
        transactionReplay: { enabled: true },
        limits: { noServerWaitMs: 30_000 },
        // A check that takes longer on a busy machine is no death: what is replayed is counted below.
        monitor: { timeoutMs: 1000 },
      },
    });
    t.teardown(() => sluice.dispose());
    const errors: string[] = [];
    const connect = async (): Promise<Connection> => {
      const connection = await sluice.connect();
      connection.on('error', ({ message }) => errors.push(message));
      return connection;
    };
    const [idle, busy] = [
      await Promise.all(Array.from({ length: CLIENTS }, connect)),
      await Promise.all(Array.from({ length: CLIENTS }, connect)),
    ];
    const pinned = await connect();
    await pinned.query('CREATE TEMPORARY TABLE mine (n INT)');
    const open = async (connection: Connection, index: number): Promise<number> => {
      await connection.query('BEGIN');
      await connection.query(`UPDATE account SET balance = balance - 10 WHERE id = ${index + 1}`);
      const [result] = await connection.query<ResultSetHeader>(
        `INSERT INTO entry (account) VALUES (${index + 1})`,
      );
      return result.insertId;
    };
    const ids = await Promise.all([...idle, ...busy].map(open));
    // Whatever has been committed is on the replica as well: what is lost then is what was open.
    await set.waitForSync();
    const [heir] = set.replicas;
    if (signal === 'SIGKILL') await set.primary.kill();
    else set.primary.freeze();
    const next = busy.map((connection, index) =>
      connection.query<ResultSetHeader>(
        `UPDATE account SET balance = balance + 10 WHERE id = ${index + CLIENTS + 1}`,
      ),
    );
    // What a server that stands still was told, nobody knows the outcome of.
    const newcomer =
      signal === 'SIGSTOP'
        ? null
        : connect().then((connection) => connection.query('INSERT INTO entry (account) VALUES (-1)'));
    await promote(heir!);
    for (const result of await Promise.all(next)) t.equal(result[0].affectedRows, 1);
    if (newcomer !== null) t.match(await newcomer, [{ affectedRows: 1 }], 'what found no primary has waited');
    for (const [index, connection] of idle.entries()) {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT balance FROM account WHERE id = ${index + 1}`,
      );
      t.same(rows, [{ balance: 90 }], 'an idle transaction has what it has written');
      await connection.query(`UPDATE account SET balance = balance + 10 WHERE id = ${index + 1}`);
    }
    await Promise.all([...idle, ...busy].map((connection) => connection.query('COMMIT')));
    await waitUntil('who cannot go on has lost its session', () => errors.length > 0);
    t.same(errors.length, 1, 'only who cannot go on has lost its session');
    t.match(errors, [/closed|lost|reset/i]);
    const entries = await heir!.query<{ id: string }>(
      'SELECT id FROM app.entry WHERE account > 0 ORDER BY id',
    );
    t.same(
      entries.map(({ id }) => Number(id)),
      ids.toSorted((a, b) => a - b),
      'rows have the ids that their clients were told',
    );
    t.equal(await heir!.queryValue('SELECT SUM(balance) FROM app.account'), String(200 * CLIENTS));
    t.equal(
      await heir!.queryValue('SELECT COUNT(*) FROM app.entry WHERE account = -1'),
      newcomer === null ? '0' : '1',
    );
    const [total, failed] = await Promise.all([
      sluice.metric('sluice_replayed_transactions_total'),
      sluice.metric('sluice_replay_failures_total'),
    ]);
    t.same([total, failed], [2 * CLIENTS, 0]);
    await waitUntil('nothing waits', async () => (await sluice.metric('sluice_held_statements')) === 0);
  });
