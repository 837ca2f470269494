/** A corpus of statements that hold secrets, and of statements that an operator wants to read in the audit log. */
import t from 'tap';
import { maskSecrets } from '../../../../src/control/logs/mask-secrets.ts';

const SECRET = 'hunter2';

/** Each holds the secret, and none of it may be left. */
const WITH_SECRETS = [
  `INSERT INTO mysql_users (username, password) VALUES ('app', '${SECRET}')`,
  `INSERT INTO mysql_users (password, username) VALUES ('${SECRET}', 'app'), ('${SECRET}', 'b')`,
  `INSERT INTO mysql_users VALUES ('app', '${SECRET}', 1, 0, 0, '', 0, 1, 0, 1, 1, 100, '', '')`,
  `INSERT INTO mysql_users(username,password,active)VALUES('app',"${SECRET}",1)`,
  `REPLACE INTO main.mysql_users (username, password, default_hostgroup) VALUES ('app', '${SECRET}', 0)`,
  `INSERT OR REPLACE INTO "mysql_users" (username, password) VALUES ('app', '${SECRET}')`,
  `INSERT INTO [mysql_users] (username, password) VALUES ('app', '${SECRET}')`,
  `insert into \`mysql_users\` (\`username\`, \`password\`) values ('app', '${SECRET}')`,
  `INSERT INTO mysql_users (username, password) SELECT 'app', '${SECRET}'`,
  `INSERT INTO mysql_users (username, password) SELECT 'app', '${SECRET}' || 'x' FROM mysql_servers`,
  `INSERT INTO mysql_users (username, password) VALUES ('a' || '${SECRET}', lower('${SECRET}'))`.replace(
    `'a' || '${SECRET}'`,
    "'a'",
  ),
  `INSERT INTO mysql_users (username, attributes) VALUES ('app', '{"additional_password": "${SECRET}"}')`,
  `INSERT INTO disk.mysql_users (username, password) VALUES ('app', '${SECRET}')`,
  `UPDATE mysql_users SET password = '${SECRET}' WHERE username = 'app'`,
  `UPDATE mysql_users SET password='${SECRET}', active=1 WHERE username='app'`,
  `UPDATE mysql_users SET active=1,password=x'68756e74657232${SECRET}'`,
  `UPDATE mysql_users SET password = ${SECRET} WHERE username = 'app'`,
  `UPDATE mysql_users SET password = \`${SECRET}\` WHERE username = 'app'`,
  `UPDATE mysql_users SET password = N'${SECRET}'`,
  `UPDATE mysql_users SET (username, password) = ('app', '${SECRET}')`,
  `UPDATE mysql_users SET password = CASE WHEN 1 THEN '${SECRET}' END`,
  `UPDATE mysql_users SET password = '${SECRET}`,
  `UPDATE mysql_users SET comment = '${SECRET}' /* ${SECRET} */`,
  `/* ${SECRET} */ UPDATE mysql_users SET password = '${SECRET}' -- ${SECRET}`,
  `UPDATE/*!40000 mysql_users SET password = '${SECRET}' */`,
  `SELECT * FROM mysql_users WHERE password = '${SECRET}'`,
  `SELECT * FROM runtime_mysql_users WHERE password LIKE '${SECRET}%'`,
  `DELETE FROM mysql_users WHERE password IN ('${SECRET}')`,
  `WITH u AS (SELECT '${SECRET}' AS password) INSERT INTO mysql_users (username, password) SELECT 'a', password FROM u`,
  `SET admin-admin_credentials='admin:${SECRET}'`,
  `SET admin-admin_credentials = "admin:${SECRET};other:${SECRET}"`,
  `SET admin-admin_credentials=admin:${SECRET}`,
  `set ADMIN-STATS_CREDENTIALS='stats:${SECRET}'`,
  `SET mysql-monitor_password='${SECRET}'`,
  `SET mysql-monitor_password=${SECRET}`,
  `SET mysql-monitor_password = ${SECRET};`,
  `SET mysql-monitor_password:='${SECRET}'`,
  `SET \`mysql-monitor_password\`='${SECRET}'`,
  `SET mysql-monitor_username='m', mysql-monitor_password='${SECRET}'`,
  `SET mysql-max_connections=5, mysql-monitor_password='${SECRET}'`,
  `SET sluice-monitor_password='${SECRET}'`,
  `SET sluice-users='[{"username": "a", "password": "${SECRET}"}]'`,
  `SET sluice-tls_key='-----BEGIN PRIVATE KEY-----${SECRET}'`,
  `SET mysql-monitor_password '${SECRET}'`,
  `WITH a(username, p) AS (SELECT 1, 2) INSERT INTO mysql_users (password, username) VALUES ('${SECRET}', 'x')`,
  `INSERT INTO mysql_users (username, password) VALUES ('app', 'x') ON CONFLICT (username) DO UPDATE SET password = ('${SECRET}')`,
  `INSERT INTO mysql_users (username, password) VALUES ('app', 'x') RETURNING ('${SECRET}', 'b')`,
  `INSERT INTO mysql_users (username password) VALUES ('${SECRET}', 'x')`,
  `INSERT INTO mysql_users (username, password) VALUES (('${SECRET}'), 'x')`,
  `UPDATE mysql_users SET username = 'a' '${SECRET}', password = username || '${SECRET}'`,
  `SET mysql-init_connect="SET PASSWORD = '${SECRET}'"`,
  `UPDATE global_variables SET variable_value="SET PASSWORD = '${SECRET}'" WHERE variable_name='mysql-init_connect'`,
  `UPDATE mysql_servers SET comment = 'its password is ${SECRET}'`,
  `SET PASSWORD FOR app = '${SECRET}'`,
  `SET PASSWORD = PASSWORD('${SECRET}')`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name='mysql-monitor_password'`,
  `UPDATE global_variables SET variable_value='a:${SECRET}' WHERE variable_name='admin-admin_credentials'`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name LIKE '%pass%'`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name LIKE 'mysql-mon%'`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name > 'mysql-monitor_p'`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name IN ('mysql-threads', 'admin-stats_credentials')`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name = 'mysql-monitor_' || 'password'`,
  `UPDATE global_variables SET variable_value='${SECRET}'`,
  `UPDATE global_variables SET variable_value='${SECRET}' WHERE variable_name='mysql-threads' OR 1`,
  `UPDATE "global_variables" SET variable_value='${SECRET}' WHERE variable_name="mysql-monitor_password"`,
  `INSERT INTO global_variables VALUES ('mysql-monitor_password','${SECRET}')`,
  `INSERT INTO global_variables (variable_value, variable_name) VALUES ('${SECRET}','mysql-monitor_password')`,
  `INSERT INTO global_variables VALUES ('mysql-threads','4'), ('mysql-monitor_password','${SECRET}')`,
  `REPLACE INTO global_variables(variable_name,variable_value) VALUES('admin-cluster_password','${SECRET}')`,
  `INSERT INTO mysql_ldap_mapping (frontend_entity, backend_entity) VALUES ('${SECRET}', 'x')`,
  `INSERT INTO scheduler (filename, arg1) VALUES ('/bin/x', '--password=${SECRET}')`,
  `INSERT INTO mysql_servers_ssl_params (hostname, ssl_key) VALUES ('h', '${SECRET}')`,
  `CREATE USER app IDENTIFIED BY '${SECRET}'`,
  `ALTER USER app@'%' IDENTIFIED WITH mysql_native_password AS '${SECRET}'`,
  `GRANT ALL ON *.* TO app IDENTIFIED BY '${SECRET}'`,
  `CHANGE MASTER TO MASTER_USER='r', MASTER_PASSWORD='${SECRET}'`,
  `EXPLAIN ROUTE SELECT * FROM t WHERE ssn = '${SECRET}'`,
  `EXPLAIN ROUTE UPDATE t SET a = 1 WHERE b = '${SECRET}`,
  `explain   route select ${SECRET}('x')`,
  `INSERT INTO mysql_users (username, password) VALUES ${Array.from({ length: 900 }, (_, n) => `('u${n}', '${SECRET}')`).join()}`,
];

/** The same statement, as others write it. */
function spellings(statement: string): Record<string, string> {
  const isCut = !/['"`)\w;/]$/.test(statement);
  return {
    'upper case': statement.toUpperCase().replaceAll(SECRET.toUpperCase(), SECRET),
    'lower case': statement.toLowerCase(),
    'comments as blanks': statement.replaceAll(' ', isCut ? ' ' : '/**/'),
    'line breaks as blanks': statement.replaceAll(' ', '\r\n\t'),
    'a comment in front': `/* a */ -- b\n${statement}`,
    'blanks around operators': statement.replaceAll('=', ' = ').replaceAll(',', ' , '),
    'cut off': statement.slice(0, -1),
  };
}

for (const statement of WITH_SECRETS) {
  t.test(statement.slice(0, 120).replaceAll(SECRET, '…'), async (t) => {
    const { text, isMasked } = maskSecrets(statement);
    t.notOk(text.includes(SECRET), text.slice(0, 300));
    t.ok(isMasked);
    t.notOk(/hunter|68756e/.test(text), 'nor a part of it');
    for (const [how, spelt] of Object.entries(spellings(statement)))
      t.notOk(/hunter|68756e/i.test(maskSecrets(spelt).text), how);
  });
}

/** As they are, and all of it. */
const HARMLESS = [
  'LOAD MYSQL SERVERS TO RUNTIME',
  'SAVE MYSQL USERS TO DISK',
  'LOAD MYSQL USERS FROM BACKEND',
  'SELECT * FROM mysql_users',
  "INSERT INTO mysql_servers (hostgroup_id, hostname, port) VALUES (1, '10.0.0.5', 3306)",
  "UPDATE mysql_servers SET status = 'OFFLINE_SOFT' WHERE hostname = '10.0.0.5'",
  "INSERT INTO mysql_query_rules (rule_id, match_digest, apply) VALUES (1, '^SELECT', 1)",
  "DRAIN '10.0.0.1:3306'",
  'KILL QUERY 1073741829',
  'SET LOG LEVEL debug',
  'SET mysql-max_connections = 500',
  'SET mysql-monitor_username=monitor',
  "UPDATE global_variables SET variable_value='500' WHERE variable_name='mysql-max_connections'",
  "INSERT INTO global_variables VALUES ('mysql-max_connections','500')",
  "REPLACE INTO main.global_variables (variable_name, variable_value) VALUES ('mysql-threads', 4)",
  "UPDATE mysql_users SET default_hostgroup=1,max_connections=7 WHERE username='app'",
  "DELETE FROM mysql_users WHERE username = 'app'",
];

for (const statement of HARMLESS) {
  t.test(`as it is: ${statement}`, async (t) => {
    t.strictSame(maskSecrets(statement), { text: statement, isMasked: false });
  });
}

t.test('what is left of one that is masked tells what it did', async (t) => {
  const cases = [
    [
      "INSERT INTO mysql_users (username, password, active) VALUES ('app', 'x', 1)",
      "INSERT INTO mysql_users (username, password, active) VALUES ('app', ***, 1)",
    ],
    [
      "UPDATE mysql_users SET password = 'x' WHERE username = 'app'",
      "UPDATE mysql_users SET password = *** WHERE username = 'app'",
    ],
    ["SET mysql-monitor_password='x'", 'SET mysql-monitor_password=***'],
    [
      "UPDATE global_variables SET variable_value='x' WHERE variable_name='mysql-monitor_password'",
      "UPDATE global_variables SET variable_value=*** WHERE variable_name='mysql-monitor_password'",
    ],
    ['EXPLAIN ROUTE SELECT a FROM t WHERE id = 7', 'EXPLAIN ROUTE SELECT *** FROM *** WHERE id = ***'],
  ];
  for (const [statement = '', wanted] of cases) t.equal(maskSecrets(statement).text, wanted);
});
