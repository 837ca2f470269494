import t from 'tap';
import { parseReplicationRow } from '../../../../src/control/monitor/replication-check.ts';

const UUID = '3E11FA47-71CA-11E1-9E33-C80AA9429562';

const MYSQL_57 = {
  Slave_IO_State: 'Waiting for master to send event',
  Master_Host: 'DB1',
  Master_Port: '3306',
  Slave_IO_Running: 'Yes',
  Slave_SQL_Running: 'Yes',
  Seconds_Behind_Master: '3',
  Master_Server_Id: '7',
  Master_UUID: UUID,
  Last_IO_Error: '',
  Last_SQL_Error: '',
  Channel_Name: '',
};

t.test('the rows of the three spellings', (t) => {
  const expected = {
    name: '',
    source: 'db1:3306',
    sourceUuid: UUID.toLowerCase(),
    sourceId: 7,
    ioRunning: 'Yes',
    sqlRunning: 'Yes',
    lagMs: 3000,
    error: '',
  };
  t.strictSame(parseReplicationRow(MYSQL_57), expected);
  const modern = {
    Source_Host: 'db1',
    Source_Port: '3306',
    Replica_IO_Running: 'Yes',
    Replica_SQL_Running: 'Yes',
    Seconds_Behind_Source: '3',
    Source_Server_Id: '7',
    Source_UUID: UUID,
    Channel_Name: 'east',
  };
  t.strictSame(parseReplicationRow(modern), { ...expected, name: 'east' });
  const { Master_UUID: _, Channel_Name: __, ...mariadb } = MYSQL_57;
  t.strictSame(parseReplicationRow({ ...mariadb, Connection_name: 'west' }), {
    ...expected,
    name: 'west',
    sourceUuid: null,
  });
  t.end();
});

t.test('what is not running, not known, or not there', (t) => {
  const parse = (overrides: Record<string, string | null>) =>
    parseReplicationRow({ ...MYSQL_57, ...overrides });
  t.match(parse({ Slave_IO_Running: 'Connecting', Seconds_Behind_Master: null }), {
    ioRunning: 'Connecting',
    lagMs: null,
  });
  t.match(parse({ Slave_IO_Running: 'Preparing' }), { ioRunning: 'Connecting' });
  t.match(parse({ Slave_IO_Running: 'No' }), { ioRunning: 'No' });
  t.match(parse({ Slave_SQL_Running: '' }), { sqlRunning: 'No' });
  t.match(parse({ Seconds_Behind_Master: '0' }), { lagMs: 0 });
  t.match(parse({ Seconds_Behind_Master: 'soon' }), { lagMs: null });
  t.match(parse({ Master_UUID: '' }), { sourceUuid: null });
  t.match(parse({ Last_IO_Error: 'io', Last_SQL_Error: '' }), { error: 'io' });
  t.match(parse({ Last_IO_Error: 'io', Last_SQL_Error: 'sql' }), { error: 'sql' });
  t.match(parse({ Master_Host: '::1' }), { source: '[::1]:3306' });
  t.end();
});

t.test('a channel without a source is none', (t) => {
  for (const overrides of [
    { Master_Host: '' },
    { Master_Host: '<NULL>' },
    { Master_Port: '0' },
    { Master_Host: null },
  ]) {
    t.equal(parseReplicationRow({ ...MYSQL_57, ...overrides }), null, JSON.stringify(overrides));
  }
  t.equal(parseReplicationRow({}), null);
  t.end();
});
