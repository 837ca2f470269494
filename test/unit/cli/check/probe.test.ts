/** The probe against servers that answer well, badly, in part, and not at all. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { httpGet } from '../../../../src/cli/check/http-get.ts';
import { probe } from '../../../../src/cli/check/probe.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { freePort } from '../../../support/ports.ts';
import { runProgram } from '../../../support/run-program.ts';
import { SOURCE_SCRIPT } from '../../../support/sluice-script.ts';

const TIMEOUT_MS = 20_000;

async function listening(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const answering: RequestListener = ({ url }, response) => {
  if (url === '/healthz') response.end('{"status":"ok","reasons":[]}');
  else if (url === '/readyz')
    response.writeHead(503).end('{"status":"not ready","reasons":["stopping","no primary is known"]}');
  else response.writeHead(404).end('{}');
};

function at(port: number, isTls = false) {
  return { host: '127.0.0.1', port, isTls, configFile: null };
}

t.test('what the http port says', async (t) => {
  const port = await listening(t, createHttpServer(answering));
  t.strictSame(await probe('alive', at(port), TIMEOUT_MS), { passed: true, text: 'alive' });
  t.strictSame(await probe('ready', at(port), TIMEOUT_MS), {
    passed: false,
    text: 'not ready: stopping; no primary is known',
  });
});

t.test('over TLS, whatever the certificate; or only with a good one', async (t) => {
  const authority = await CertificateAuthority.create();
  t.teardown(() => authority.dispose());
  const { certificate, key } = await authority.issue('127.0.0.1', ['IP:127.0.0.1']);
  const secrets = { cert: readFileSync(certificate), key: readFileSync(key) };
  const port = await listening(t, createHttpsServer(secrets, answering));
  t.match(await probe('alive', at(port, true), TIMEOUT_MS), { passed: true });
  const request = { host: '127.0.0.1', port, path: '/healthz', timeoutMs: TIMEOUT_MS };
  const ca = readFileSync(authority.file, 'utf8');
  t.match(await httpGet({ ...request, tls: { verify: true, ca } }), { status: 200 });
  await t.rejects(httpGet({ ...request, tls: { verify: true, ca: null } }), /\bit failed \(UNABLE_TO_VERIFY/);
});

t.test('no answer, or none that is one', async (t) => {
  const closed = await freePort();
  t.strictSame(await probe('ready', at(closed), TIMEOUT_MS), {
    passed: false,
    text: `not ready: 127.0.0.1:${closed}: connection refused`,
  });
  const silent = await listening(t, createServer());
  t.match(await probe('ready', at(silent), 50), { passed: false, text: /: no answer within 50 ms$/ });
  const answers = [
    ['', 'the answer is not HTTP'],
    ['\x4a\0\0\0\x0a8.0.11\0', 'the answer is not HTTP'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}', 'the answer is not whole'],
    ['HTTP/1.1 200 OK\r\nContent-Len', 'the answer is not HTTP'],
  ] as const;
  for (const [answer, problem] of answers) {
    const port = await listening(
      t,
      createServer((socket) => socket.end(answer)),
    );
    const { passed, text } = await probe('alive', at(port), TIMEOUT_MS);
    t.equal(passed, false);
    t.equal(text, `not alive: 127.0.0.1:${port}: ${problem}`);
  }
});

/** Prints what is loaded besides Node's own modules. */
const TELL_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) {
    if (!url.startsWith('node:')) process.stderr.write(url.replace(/.*\\/(?=src\\/|config\\/|node_modules\\/)/, '') + '\\n');
    return next(url, context);
  } });
`)}`;

t.test('the command loads what it needs and no more: it must be quick', async (t) => {
  const port = await listening(t, createHttpServer(answering));
  const run = (args: readonly string[]) =>
    runProgram(process.execPath, ['--import', TELL_LOADED, SOURCE_SCRIPT, 'check', ...args], { env: {} });
  const alive = await run(['--alive', '--http.port', String(port)]);
  t.strictSame(
    { ...alive, stderr: alive.stderr.trim().split('\n').toSorted() },
    {
      code: 0,
      stdout: 'alive\n',
      stderr: [
        'config/nearest-name.ts',
        'config/service-link.ts',
        'src/cli/check-command.ts',
        'src/cli/check/check-arguments.ts',
        'src/cli/check/check-exit.ts',
        'src/cli/check/http-get.ts',
        'src/cli/check/http-place.ts',
        'src/cli/check/probe.ts',
        'src/cli/subcommand-options.ts',
        'src/cli/subcommands.ts',
        'src/main.ts',
      ],
    },
  );
  t.match(await run(['--ready', '--url', `http://127.0.0.1:${port}`]), {
    code: 1,
    stdout: 'not ready: stopping; no primary is known\n',
  });
  t.match(await run(['--ready', '--alive']), {
    code: 3,
    stdout: 'SLUICE UNKNOWN: --ready or --alive, not both\n',
  });
  const operand = await run(['--ready', 'hunter2']);
  t.equal(operand.code, 3);
  t.notMatch(operand.stdout + operand.stderr, /hunter2/);
});
