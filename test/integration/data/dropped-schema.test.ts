/** A session whose schema somebody else has dropped can still enter another one, as at a server. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { Command } from '../../../protocol/index.ts';
import { RawClient, type RawResult } from '../../support/raw-client.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT)', "GRANT ALL ON `passing_%`.* TO 'app'@'%'"],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

const SECOND_SCHEMA = 'passing_one';

t.test('USE and COM_INIT_DB lead out of a schema that is gone', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 3 } } });
  t.teardown(() => sluice.dispose());
  const other = await sluice.connect();
  for (const command of [Command.COM_INIT_DB, Command.COM_QUERY]) {
    const client = await RawClient.login(sluice, { ...APP_ACCOUNT, database: 'app' });
    const enter = async (schema: string): Promise<RawResult | undefined> => {
      client.sendCommand(command, command === Command.COM_QUERY ? `USE ${schema}` : schema);
      return (await client.readResults())[0];
    };
    await client.query(`CREATE DATABASE ${SECOND_SCHEMA}`);
    t.equal((await enter(SECOND_SCHEMA))?.kind, 'ok');
    await other.query(`DROP DATABASE ${SECOND_SCHEMA}`);
    // Its connection is held by somebody else: it has to be brought in line on another one.
    await other.query('BEGIN');
    t.match(await enter('passing_none'), { kind: 'error', error: { errno: 1049 } });
    t.equal((await enter('app'))?.kind, 'ok');
    t.equal((await client.query('SELECT id FROM t'))[0]?.kind, 'rows', 'it is there');
    await other.query('COMMIT');
    const [[row]] = await other.query<RowDataPacket[]>('SELECT DATABASE() AS d');
    t.equal(row?.d, 'app', 'nobody else is elsewhere');
    client.destroy();
  }
});
