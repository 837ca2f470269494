/** SHOW STATUS of TLS: drivers look there whether their connection is encrypted. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { CertificateAuthority, LOCAL_NAMES } from '../../support/certificates.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { runCase } from '../differential/case-runner.ts';
import { compareTranscripts } from '../differential/compare.ts';
import type { DifferentialCase } from '../differential/corpus.ts';
import { Capability } from '../differential/wire-constants.ts';

const authority = await CertificateAuthority.create();
const files = await authority.issue('server', LOCAL_NAMES);
t.teardown(() => authority.dispose());

/** Those of the connection; the others count for the whole server. */
const OF_THE_CONNECTION = [
  'Ssl_cipher',
  'Ssl_default_timeout',
  'Ssl_server_not_after',
  'Ssl_server_not_before',
  'Ssl_sessions_reused',
  'Ssl_verify_depth',
  'Ssl_version',
];
const NAMES = OF_THE_CONNECTION.map((name) => `'${name}'`).join(', ');

/** Answers do not depend on what other connections have done. */
const STATEMENTS = [
  "SHOW STATUS LIKE 'Ssl_cipher'",
  "SHOW STATUS LIKE 'Ssl_version'",
  "show session status like 'ssl_cipher'",
  "SHOW LOCAL STATUS LIKE 'Ssl\\_cipher'",
  "SHOW /*!40000 SESSION */ STATUS LIKE 'Ssl_version'",
  "/* a driver */ SHOW STATUS LIKE 'ssl_version'",
  "SHOW STATUS LIKE 'Ssl_cipher%'",
  "SHOW STATUS LIKE '%sl_v%'",
  `SHOW STATUS WHERE Variable_name IN (${NAMES}, 'Ssl_cipher_list', 'Ssl_verify_mode')`,
  "SHOW SESSION STATUS WHERE `Variable_name` = 'Ssl_cipher'",
  "SHOW STATUS WHERE variable_name LIKE 'Threads_no%' OR variable_name = 'Ssl_version'",
  "SHOW STATUS LIKE 'Ssl_nosuch'",
  "SHOW STATUS LIKE 'Compression'",
  "SHOW STATUS LIKE 'Ssl_cipher' LIMIT",
];

const CASE: DifferentialCase = {
  file: '',
  name: '',
  servers: ['mariadb', 'mysql57'],
  user: APP_ACCOUNT.username,
  schema: APP_SCHEMA,
  collationId: 45,
  costly: false,
  made: false,
  capabilities: [],
  withoutCapabilities: [],
  steps: [
    ...STATEMENTS.map((query) => ({ query, ignore: [], localData: undefined, localRows: undefined })),
    ...["SHOW STATUS LIKE 'Ssl_cipher'", `SHOW STATUS WHERE Variable_name IN (${NAMES})`].map((sql) => ({
      prepare: { sql, executes: [[], []], longData: [], short: false, reset: false },
      ignore: [],
    })),
  ],
};

async function statusOf(connection: Connection, sql: string): Promise<Record<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return Object.fromEntries(rows.map((row) => [String(row.Variable_name), String(row.Value)]));
}

/** @param modern the best version that the server has. */
async function runStatus(t: Test, flavor: ServerFlavor, modern: string): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    args: [`--ssl-ca=${authority.file}`, `--ssl-cert=${files.certificate}`, `--ssl-key=${files.key}`],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const { host, port } = set.primary;
  const passwords = { [APP_ACCOUNT.username]: APP_ACCOUNT.password };

  for (const mode of flavor === ServerFlavor.mariadb ? ['REQUIRED', 'DISABLED'] : ['REQUIRED']) {
    const sluice = await SluiceProcess.startFor(set, {
      config: { workers: 1, tls: files, backendTls: { mode } },
    });
    t.teardown(() => sluice.dispose());

    await t.test(`a plain client, server connections ${mode}`, async (t) => {
      for (const extra of [0, Capability.deprecateEof | Capability.sessionTrack]) {
        const direct = await runCase(CASE, { host, port, passwords }, extra);
        const through = await runCase(CASE, { host: sluice.host, port: sluice.port, passwords }, extra);
        t.equal(direct.steps.length, CASE.steps.length + 1);
        t.same(compareTranscripts(direct, through), []);
      }
    });

    for (const version of new Set(['TLSv1.2', modern])) {
      await t.test(`a client with ${version}, server connections ${mode}`, async (t) => {
        const cipher = 'ECDHE-ECDSA-AES128-GCM-SHA256';
        const ssl = { rejectUnauthorized: false, minVersion: version, maxVersion: version };
        const options = { ssl: version === 'TLSv1.2' ? { ...ssl, ciphers: cipher } : ssl };
        const [direct, through] = await Promise.all([
          sluice.connect({ host, port, ...options }),
          sluice.connect(options),
        ]);
        t.teardown(() => Promise.all([direct.end(), through.end()]));
        for (const sql of [
          `SHOW STATUS WHERE Variable_name IN (${NAMES})`,
          "SHOW SESSION STATUS LIKE 'ssl_cipher'",
          "SHOW STATUS LIKE 'Ssl_version'",
        ]) {
          const expected = await statusOf(direct, sql);
          t.ok(Object.keys(expected).length > 0);
          t.strictSame(await statusOf(through, sql), expected, sql);
        }
        const all = await statusOf(through, 'SHOW STATUS');
        t.equal(all.Ssl_version, version);
        if (version === 'TLSv1.2') t.equal(all.Ssl_cipher, cipher);
        else t.match(all.Ssl_cipher, /^TLS_[A-Z0-9_]+$/);
        t.equal(all.Ssl_verify_mode, '0', 'nobody asks for a certificate');
        t.strictSame(Object.keys(all), Object.keys(await statusOf(direct, 'SHOW STATUS')), 'every row');
        const [prepared] = await through.execute<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
        t.equal(prepared[0]?.Value, version, 'prepared');
        t.equal((await statusOf(through, "SHOW STATUS LIKE 'Threads_c%'")).Ssl_version, undefined);
      });
    }
    await sluice.dispose();
  }
}

t.test('MariaDB', (t) => runStatus(t, ServerFlavor.mariadb, 'TLSv1.3'));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runStatus(t, ServerFlavor.mysql, 'TLSv1.2'));
