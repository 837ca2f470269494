/** That a Sluice which was installed somehow serves clients and operators: its workers and its store process start. */

import type { Test } from 'tap';
import type { SluiceProcess } from './sluice-process.ts';

export async function servesClientsAndOperators(t: Test, sluice: SluiceProcess): Promise<void> {
  const client = await sluice.connect();
  await client.query('CREATE TABLE installed (id INT PRIMARY KEY)');
  await client.query('INSERT INTO installed VALUES (7)');
  t.strictSame((await client.query('SELECT id FROM installed'))[0], [{ id: 7 }]);
  await client.end();
  const operator = await sluice.adminConnection();
  const [servers] = await operator.query('SELECT hostgroup_id FROM mysql_servers LIMIT 1');
  t.equal((servers as unknown[]).length, 1, 'the store process has its files');
  await operator.end();
}
