import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { createWorkerLogger, type LogRecord } from '../../../../src/common/logger.ts';
import {
  type HttpServer,
  type HttpServerOptions,
  startHttpServer,
} from '../../../../src/control/http/http-server.ts';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

async function start(
  overrides: Partial<HttpServerOptions> = {},
): Promise<{ server: HttpServer; log: LogRecord[] }> {
  const log: LogRecord[] = [];
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    logger: createWorkerLogger('trace', (record) => log.push(record)),
    liveness: () => ({ alive: true, reasons: [] }),
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: { contentType: 'text/plain; version=0.0.4', render: async () => 'sluice_up 1\n' },
    ...overrides,
  });
  return { server, log };
}

async function ask(server: HttpServer, path: string, method = 'GET', body?: string): Promise<Reply> {
  const request = httpRequest({ host: server.host, port: server.port, path, method, agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, body: text };
}

t.test('a healthy Sluice', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  t.match(await ask(server, '/healthz'), { status: 200, body: '{"status":"ok","reasons":[]}\n' });
  t.match(await ask(server, '/readyz?from=probe'), {
    status: 200,
    body: '{"status":"ready","reasons":[]}\n',
  });
  t.match(await ask(server, '/metrics'), {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4' },
    body: 'sluice_up 1\n',
  });
});

t.test('what is wrong is said with 503, as it is at that moment', async (t) => {
  let reasons = ['no primary is known'];
  const { server } = await start({
    liveness: () => ({ alive: false, reasons: ['worker 1 does not run'] }),
    readiness: () => ({ ready: reasons.length === 0, reasons }),
  });
  t.teardown(() => server.close());
  const health = await ask(server, '/healthz');
  t.equal(health.status, 503);
  t.strictSame(JSON.parse(health.body), { status: 'failing', reasons: ['worker 1 does not run'] });
  const before = await ask(server, '/readyz');
  t.equal(before.status, 503);
  t.strictSame(JSON.parse(before.body), { status: 'not ready', reasons: ['no primary is known'] });
  reasons = [];
  t.equal((await ask(server, '/readyz')).status, 200);
});

t.test('HEAD is GET without the body', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  const reply = await ask(server, '/metrics', 'HEAD');
  t.match(reply, { status: 200, body: '', headers: { 'content-length': '12' } });
});

t.test('other paths and methods are refused', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  for (const path of ['/', '/metrics/', '/healthz/../metrics', '//metrics', '/%2e']) {
    t.equal((await ask(server, path)).status, 404, path);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const reply = await ask(server, '/metrics', method, method === 'POST' ? 'body' : undefined);
    t.match(reply, { status: 405, headers: { allow: 'GET, HEAD' } }, method);
  }
});

t.test('a failure answers 500, is logged, and the next request works', async (t) => {
  let fail = true;
  const { server, log } = await start({
    metrics: {
      contentType: 'text/plain',
      render: async () => {
        if (fail) throw new Error('counters are gone');
        return 'fine';
      },
    },
  });
  t.teardown(() => server.close());
  const reply = await ask(server, '/metrics');
  t.equal(reply.status, 500);
  t.notMatch(reply.body, /counters are gone/, 'the inside is for the log');
  t.match(log, [{ level: 'error', message: 'http request failed', fields: { path: '/metrics' } }]);
  fail = false;
  t.equal((await ask(server, '/metrics')).status, 200);
});

t.test('what is no HTTP, or too much of it, ends with an error and hurts nobody', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  const garbage = [
    ['\x00\x01\x02garbage\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ] as const;
  for (const [text, status] of garbage) {
    const socket = connect(server.port, server.host);
    socket.write(text);
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    t.ok(answer.startsWith(`HTTP/1.1 ${status} `), JSON.stringify(answer.slice(0, 40)));
  }
  t.equal((await ask(server, '/healthz')).status, 200);
});

t.test('a port that is taken is an error of the start', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  await t.rejects(start({ port: server.port }), { code: 'EADDRINUSE' });
});

t.test('closing does not wait for idle connections', async (t) => {
  const { server } = await start();
  const socket = connect(server.port, server.host);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await server.close();
  await closed;
  t.pass('the idle connection was closed');
});
