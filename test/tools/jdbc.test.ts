// sluice-test: nightly
/** Connector/J on the admin port; where Java and Debian's libmariadb-java are there. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ToolStage } from './tool-stage.ts';

const JAVA = '/usr/bin/java';
const DRIVER = '/usr/share/java/mariadb-java-client.jar';
const missing = existsSync(JAVA) && existsSync(DRIVER) ? null : 'java or libmariadb-java is not there';
const KINDS = [
  '',
  'useServerPrepStmts=true',
  'useCompression=true',
  'autocommit=false',
  "sessionVariables=sql_mode='ANSI'",
];

t.test('MariaDB Connector/J', { skip: missing ?? false }, async (t) => {
  const stage = await ToolStage.start({}, 0);
  t.teardown(() => stage.dispose());
  const program = fileURLToPath(new URL('programs/AdminClient.java', import.meta.url));
  const env = { ...process.env, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(stage.sluice.adminPort) };
  const said = await new Promise<string>((resolve) => {
    const args = ['-Dfile.encoding=UTF-8', '-cp', DRIVER, program];
    execFile(JAVA, args, { env, timeout: 120_000 }, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
  const row = "row 7 it's \\ a 'comment' é null";
  const expected = KINDS.flatMap((kind) =>
    ['valid true true', 'inserted 1', row, row, 'counted true', 'error 1146 42S02', 'deleted 1'].map(
      (line) => `${kind} ${line}`,
    ),
  );
  t.strictSame(said.trimEnd().split('\n'), [...expected, 'end']);
});
