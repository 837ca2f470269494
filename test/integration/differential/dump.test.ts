/** The stock tools: a dump through Sluice is the dump of the server, and goes back in through Sluice. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { findProgram } from '../../support/find-program.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { DifferentialFixture, SERVER_ARGS } from './fixture.ts';

const execFileAsync = promisify(execFile);
const MAX_DUMP_BYTES = 64 * 1_048_576;

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

function loginArgs({ host, port }: Endpoint): string[] {
  const { username, password } = APP_ACCOUNT;
  return [`--host=${host}`, `--port=${port}`, `--user=${username}`, `--password=${password}`, '--skip-ssl'];
}

async function dump(endpoint: Endpoint, schema: string, args: readonly string[]): Promise<string> {
  const program = await findProgram(['mariadb-dump', 'mysqldump']);
  const { stdout } = await execFileAsync(
    program,
    [...loginArgs(endpoint), '--skip-dump-date', '--hex-blob', '--routines', ...args, schema],
    { maxBuffer: MAX_DUMP_BYTES },
  );
  // The heading names the host that was asked.
  return stdout.replace(/^-- Host:.*$/m, '-- Host');
}

async function load(endpoint: Endpoint, schema: string, sql: string): Promise<void> {
  const program = await findProgram(['mariadb', 'mysql']);
  const client = spawn(program, [...loginArgs(endpoint), schema], { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  client.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  client.stdin.end(sql);
  const [code] = await once(client, 'exit');
  if (code !== 0) throw new Error(`the client ended with ${code}: ${errors}`);
}

async function runDump(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({ flavor, args: SERVER_ARGS });
  t.teardown(() => set.dispose());
  await set.start();
  const fixture = await DifferentialFixture.create(set);
  await fixture.close();
  for (const schema of ['restored_directly', 'restored_through']) {
    await set.primary.query(`CREATE DATABASE ${schema} DEFAULT CHARSET utf8mb4`);
  }
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());

  for (const args of [['--single-transaction'], ['--lock-tables'], ['--opt', '--skip-extended-insert']]) {
    const direct = await dump(set.primary, 'diff', args);
    const proxied = await dump(sluice, 'diff', args);
    t.ok(direct.length > 100_000, 'there is something to dump');
    t.ok(direct === proxied, `${args.join(' ')}: the dumps are the same`);
  }
  const sql = await dump(sluice, 'diff', ['--single-transaction']);
  const restored = [];
  for (const [endpoint, schema] of [
    [set.primary, 'restored_directly'],
    [sluice, 'restored_through'],
  ] as const) {
    await load(endpoint, schema, sql);
    restored.push((await dump(set.primary, schema, ['--single-transaction'])).replaceAll(schema, 'restored'));
  }
  t.ok(restored[0] === restored[1], 'what is loaded through Sluice is what is loaded straight');
}

t.test('MariaDB', (t) => runDump(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runDump(t, ServerFlavor.mysql));
