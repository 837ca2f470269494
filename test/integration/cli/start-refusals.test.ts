/** Starts that have to fail: one line each that says what to do, exit code 2, and no stack trace. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { type ProgramResult, runProgram } from '../../support/run-program.ts';
import { type ConfigObject, mergeConfig } from '../../support/sluice-process.ts';
import { SLUICE_SCRIPT } from '../../support/sluice-script.ts';

const directory = makeTemporaryDirectory('refusals');
const holder = createServer().listen(0, '127.0.0.1');
await once(holder, 'listening');
holder.unref();
const { port } = holder.address() as AddressInfo;
writeFileSync(join(directory, 'file'), '');
t.teardown(() => removeTemporaryDirectory(directory));

/** Nothing listens there: all of this is found out before a server is waited for, or without. */
const BASE: ConfigObject = {
  servers: ['127.0.0.1:1'],
  monitor: { username: 'm', password: 'p' },
  workers: 1,
  listen: { host: '127.0.0.1', port: 0 },
  admin: { port: 0 },
  http: { port: 0 },
  log: { pretty: false },
};

interface Refusal {
  readonly name: string;
  readonly config: ConfigObject;
  readonly line: RegExp;
  /** In front of the command. */
  readonly runBy?: readonly string[];
}

const nowhere = join(directory, 'nowhere', 'file');
const REFUSALS: readonly Refusal[] = [
  {
    name: 'the port of clients is in use',
    config: { listen: { port } },
    line: new RegExp(
      `^sluice: listen\\.port: cannot listen on 127\\.0\\.0\\.1:${port}: it is in use by \\S+ \\(pid ${process.pid}\\) \\(EADDRINUSE\\)$`,
    ),
  },
  {
    name: 'the http port is in use',
    config: { http: { port } },
    line: new RegExp(
      `^sluice: http\\.port: cannot listen on 127\\.0\\.0\\.1:${port}: it is in use by .* \\(pid ${process.pid}\\)`,
    ),
  },
  {
    name: 'a secret that cannot be read',
    config: { monitor: { password: { file: nowhere } } },
    line: /^sluice: \S+: monitor\.password: .*nowhere.*ENOENT/,
  },
  {
    name: 'no certificate',
    config: { tls: { certificate: nowhere, key: nowhere } },
    line: /^sluice: tls\.certificate: .*nowhere.*ENOENT/,
  },
  {
    name: 'a folder for changes that cannot be written',
    config: { dataDir: join(directory, 'file', 'below') },
    line: /^sluice: dataDir: \S+ cannot be written \(ENOTDIR\)/,
  },
  {
    name: 'a folder for changes where nobody can make one',
    config: { dataDir: '/proc/sluice/data' },
    line: /^sluice: dataDir: \S+ cannot be written \(ENOENT\)/,
  },
  {
    name: 'a log whose folder is not there',
    config: { slowQueryLog: { enabled: true, file: nowhere } },
    line: /^sluice: slowQueryLog\.file: \S+nowhere\S+ cannot be written \(ENOENT\)$/,
  },
  {
    name: 'too few open files',
    config: { limits: { maxConnections: 5000 } },
    runBy: ['prlimit', '--nofile=1024:1024'],
    line: /^sluice: \S+: limits\.maxConnections: 5000 clients, and 444 files .* need 5444 open files, the limit is 1024 /,
  },
];

function start({ config, runBy = [] }: Refusal, index: number): Promise<ProgramResult> {
  const file = join(directory, `${index}.yaml`);
  writeFileSync(file, JSON.stringify(mergeConfig(BASE, config)));
  const [program = process.execPath, ...before] = [...runBy, process.execPath];
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return runProgram(program, [...before, SLUICE_SCRIPT, '--config', file], {
    env: { PATH, NODE_COMPILE_CACHE },
  });
}

// Each is a process for itself: all of them at once are done sooner than one after the other.
const outcomes = REFUSALS.map(start);

for (const [index, refusal] of REFUSALS.entries()) {
  t.test(refusal.name, async (t) => {
    const { code, stdout, stderr } = await outcomes[index]!;
    t.equal(code, 2, stdout + stderr);
    const lines = stderr.split('\n').filter((line) => line !== '');
    t.equal(lines.length, 1, stderr);
    t.match(lines[0], refusal.line);
    t.notMatch(stdout + stderr, /\n\s+at |"stack"/);
  });
}
