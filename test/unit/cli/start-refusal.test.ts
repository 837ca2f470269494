/** What is said of a start that the operator has to put right, from the errors that the system gives. */

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../../config/load.ts';
import { dataDirProblem, startRefusal } from '../../../src/cli/start-refusal.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';

const holder = createServer().listen(0, '127.0.0.1');
await once(holder, 'listening');
holder.unref();
const { port } = holder.address() as AddressInfo;

const config = loadConfig({
  text: JSON.stringify({
    servers: ['10.0.0.5'],
    monitor: { username: 'm', password: 'p' },
    listen: { host: '127.0.0.1', port, addresses: ['[::1]:7001'] },
    admin: { port: 7002 },
    http: { port: 7003, metricsAddress: '0.0.0.0:7004' },
  }),
  env: {},
  flags: {},
});

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

t.test('errors of the system', async (t) => {
  const rows: [string, string][] = [
    [
      `cannot listen: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      `listen.port: cannot listen on 127.0.0.1:${port}: it is in use (EADDRINUSE)`,
    ],
    [
      'listen EADDRINUSE: address already in use 127.0.0.1:7002',
      'admin.port: cannot listen on 127.0.0.1:7002: it is in use (EADDRINUSE)',
    ],
    [
      'listen EACCES: permission denied 0.0.0.0:7004',
      'http.metricsAddress: cannot listen on 0.0.0.0:7004: not permitted; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE) (EACCES)',
    ],
    [
      'listen EADDRNOTAVAIL: address not available ::1:7001',
      'listen.addresses: cannot listen on ::1:7001: this machine has no such address (EADDRNOTAVAIL)',
    ],
    [
      'listen EAFNOSUPPORT: address family not supported ::1:7001',
      'listen.addresses: cannot listen on ::1:7001: refused by the system (EAFNOSUPPORT)',
    ],
    [
      'getaddrinfo ENOTFOUND nowhere.invalid',
      'cannot listen on nowhere.invalid: there is no such host (ENOTFOUND)',
    ],
    [
      'cannot listen: somebody else listens on /run/s.sock',
      'cannot listen: somebody else listens on /run/s.sock',
    ],
    ['/run/s.sock exists and is no socket', 'cannot listen: /run/s.sock exists and is no socket'],
  ];
  // The holder of the port is this process itself, which is never named.
  for (const [message, line] of rows) t.strictSame(startRefusal(new Error(message), config), [line], message);
});

t.test('errors that say it themselves', async (t) => {
  for (const name of ['ConfigError', 'TlsMaterialError', 'LogFileError'])
    t.strictSame(startRefusal(named(name, 'a: b\nc: d'), config), ['a: b', 'c: d'], name);
  t.strictSame(startRefusal(named('RowError', 'a: b; c: d'), config), ['a: b', 'c: d']);
});

t.test('what nobody has expected is told with all there is', async (t) => {
  t.equal(startRefusal(new TypeError('x is not a function'), config), null);
  t.equal(startRefusal('no error at all', config), null);
});

t.test('the folder for changes', async (t) => {
  const directory = makeTemporaryDirectory('refusal');
  t.teardown(() => removeTemporaryDirectory(directory));
  const file = join(directory, 'file');
  writeFileSync(file, '');
  mkdirSync(join(directory, 'there'));
  t.equal(dataDirProblem(null), null);
  t.equal(dataDirProblem(join(directory, 'there')), null);
  t.equal(dataDirProblem(join(directory, 'made', 'by', 'it')), null);
  t.match(
    dataDirProblem(join(file, 'below')),
    /^dataDir: \S+\/below cannot be written \(ENOTDIR\); without dataDir/,
  );
  t.match(dataDirProblem(file), /cannot be written \(EEXIST\)/);
});
