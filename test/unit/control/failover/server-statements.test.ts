import t from 'tap';
import {
  globalPrivileges,
  missingOf,
  schemaPrivileges,
} from '../../../../src/control/failover/servers/granted-privileges.ts';
import { readChannels } from '../../../../src/control/failover/servers/read-channels.ts';
import {
  quote,
  ReplicationStatements,
} from '../../../../src/control/failover/servers/replication-statements.ts';
import { parseServerVersion } from '../../../../src/control/monitor/server-version.ts';

const SOURCE = { host: 'h', port: 1, credentials: { username: "o'r", password: 'p\\' }, tls: null };

t.test('the words of each version', async (t) => {
  const words = (version: string) => {
    const statements = new ReplicationStatements(parseServerVersion(version));
    return [
      statements.status,
      statements.stop('', 'all'),
      statements.start('c', 'io'),
      statements.reset('c'),
      statements.change(SOURCE, 'c'),
    ];
  };
  t.strictSame(words('5.7.29-log'), [
    'SHOW SLAVE STATUS',
    'STOP SLAVE',
    "START SLAVE IO_THREAD FOR CHANNEL 'c'",
    "RESET SLAVE ALL FOR CHANNEL 'c'",
    "CHANGE MASTER TO MASTER_HOST='h', MASTER_PORT=1, MASTER_USER='o''r', MASTER_PASSWORD='p\\\\', " +
      "MASTER_CONNECT_RETRY=1, MASTER_AUTO_POSITION=1 FOR CHANNEL 'c'",
  ]);
  t.strictSame(words('8.4.2'), [
    'SHOW REPLICA STATUS',
    'STOP REPLICA',
    "START REPLICA IO_THREAD FOR CHANNEL 'c'",
    "RESET REPLICA ALL FOR CHANNEL 'c'",
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST='h', SOURCE_PORT=1, SOURCE_USER='o''r', SOURCE_PASSWORD='p\\\\', " +
      "SOURCE_CONNECT_RETRY=1, SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1 FOR CHANNEL 'c'",
  ]);
  t.strictSame(words('5.5.5-10.11.6-MariaDB'), [
    'SHOW ALL SLAVES STATUS',
    'STOP SLAVE',
    "START SLAVE 'c' IO_THREAD",
    "RESET SLAVE 'c' ALL",
    "CHANGE MASTER 'c' TO MASTER_HOST='h', MASTER_PORT=1, MASTER_USER='o''r', MASTER_PASSWORD='p\\\\', " +
      'MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos',
  ]);
});

t.test('what a channel has is left as it is', async (t) => {
  const statements = new ReplicationStatements(parseServerVersion('5.7.29'));
  t.equal(
    statements.change({ ...SOURCE, credentials: null, tls: true }, ''),
    "CHANGE MASTER TO MASTER_HOST='h', MASTER_PORT=1, MASTER_SSL=1, MASTER_AUTO_POSITION=1",
  );
  t.equal(quote('a\0b'), "'a\\0b'");
});

t.test('channels, whatever their columns are called', async (t) => {
  const old = {
    Connection_name: 'c',
    Master_Host: '::1',
    Master_Port: '3306',
    Master_User: 'r',
    Master_UUID: 'ABC',
    Master_Server_Id: '7',
    Slave_IO_Running: 'Yes',
    Slave_SQL_Running: 'No',
    Last_SQL_Error: 'duplicate',
    Using_Gtid: 'Slave_Pos',
    Gtid_IO_Pos: '0-1-5',
    Seconds_Behind_Master: null,
    SQL_Delay: '3',
    Master_SSL_Allowed: 'Yes',
  };
  t.strictSame(readChannels([old, { Master_Host: '', Master_Port: '0' }]), [
    {
      name: 'c',
      source: '[::1]:3306',
      sourceUuid: 'abc',
      sourceId: 7,
      user: 'r',
      byGtid: true,
      ioRunning: 'Yes',
      sqlRunning: 'No',
      ioError: '',
      sqlError: 'duplicate',
      retrieved: '0-1-5',
      secondsBehind: null,
      delaySeconds: 3,
      tls: true,
    },
  ]);
  const renamed = {
    Channel_Name: '',
    Source_Host: 'h',
    Source_Port: '1',
    Replica_IO_Running: 'Connecting',
    Replica_SQL_Running: 'Yes',
    Auto_Position: '0',
    Retrieved_Gtid_Set: 'u:1-2,\nv:1',
    Seconds_Behind_Source: '4',
  };
  t.match(readChannels([renamed]), [
    {
      source: 'h:1',
      byGtid: false,
      ioRunning: 'Connecting',
      retrieved: 'u:1-2,v:1',
      secondsBehind: 4,
      tls: false,
    },
  ]);
});

t.test('privileges, from what SHOW GRANTS says', async (t) => {
  const grants = globalPrivileges([
    "GRANT SELECT, RELOAD, READ_ONLY ADMIN ON *.* TO `m`@`%` IDENTIFIED BY PASSWORD '*A'",
    'GRANT SUPER ON `sluice`.* TO `m`@`%`',
  ]);
  t.strictSame([...grants], ['SELECT', 'RELOAD', 'READ_ONLY ADMIN']);
  t.strictSame(missingOf(grants, [['RELOAD'], ['READ ONLY ADMIN', 'READ_ONLY ADMIN'], ['SUPER']]), ['SUPER']);
  const onSchema = schemaPrivileges(
    [
      'GRANT SELECT ON *.* TO m@h',
      'GRANT INSERT ON `sluice`.* TO m@h',
      'GRANT CREATE ON `slu\\_%`.* TO m@h',
      'GRANT UPDATE ON `s_uic%`.* TO m@h',
      'GRANT DELETE ON `sluice`.`operation` TO m@h',
    ],
    'sluice',
  );
  t.strictSame([...onSchema], ['SELECT', 'INSERT', 'UPDATE']);
  t.strictSame(missingOf(globalPrivileges(['GRANT ALL PRIVILEGES ON *.* TO r@h']), [['SUPER']]), []);
});
