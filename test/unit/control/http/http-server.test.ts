import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { createWorkerLogger, type LogRecord } from '../../../../src/common/logger.ts';
import { AccessControl } from '../../../../src/control/http/access/access-control.ts';
import { isKnownHost } from '../../../../src/control/http/access/known-host.ts';
import { type HealthSources, healthRoutes } from '../../../../src/control/http/health-routes.ts';
import { json } from '../../../../src/control/http/http-answer.ts';
import type { HttpRoute } from '../../../../src/control/http/http-route.ts';
import { type HttpServer, startHttpServer } from '../../../../src/control/http/http-server.ts';
import type { AuditTrail } from '../../../../src/control/logs/audit-log.ts';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Overrides extends Partial<HealthSources> {
  readonly port?: number;
  readonly routes?: readonly HttpRoute[];
  readonly metricsAreOpen?: boolean;
  readonly maxConnections?: number;
  readonly perSecond?: number;
}

const USERS = [
  { username: 'ops', password: 'ops secret', role: 'admin' },
  { username: 'watcher', password: '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', role: 'stats' },
] as const;

const NO_AUDIT: AuditTrail = {
  command: () => undefined,
  loggedIn: () => undefined,
  loginRefused: () => undefined,
  left: () => undefined,
};

async function start(overrides: Overrides = {}): Promise<{ server: HttpServer; log: LogRecord[] }> {
  const log: LogRecord[] = [];
  const { routes = [], port = 0, metricsAreOpen = true, maxConnections = 128, ...health } = overrides;
  const server = await startHttpServer({
    host: '127.0.0.1',
    port,
    logger: createWorkerLogger('trace', (record) => log.push(record)),
    routes: [
      ...healthRoutes({
        liveness: () => ({ alive: true, reasons: [] }),
        readiness: () => ({ ready: true, reasons: [] }),
        metrics: { contentType: 'text/plain; version=0.0.4', render: async () => 'sluice_up 1\n' },
        ...health,
      }),
      ...routes,
    ],
    access: new AccessControl(USERS, { idleMs: 60_000, maxMs: 60_000 }, NO_AUDIT),
    metricsAreOpen: () => metricsAreOpen,
    isKnownHost: (name) => isKnownHost(name, { host: '127.0.0.1', hostNames: ['sluice.example.org'] }),
    tls: null,
    maxConnections,
    ...(overrides.perSecond === undefined
      ? {}
      : {
          paces: {
            health: { perSecond: 10_000, burst: 10_000 },
            others: { perSecond: overrides.perSecond, burst: 1 },
          },
        }),
  });
  return { server, log };
}

async function ask(
  server: HttpServer,
  path: string,
  method = 'GET',
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const request = httpRequest({ host: server.host, port: server.port, path, method, headers, agent: false });
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

const CHANGE: HttpRoute = {
  method: 'POST',
  path: '/change',
  access: 'admin',
  answer: ({ visitor, body }) => json(200, { by: visitor?.username, body: body.toString() }),
};
const LOOK: HttpRoute = {
  method: 'GET',
  path: '/look',
  access: 'stats',
  answer: ({ visitor, query }) =>
    json(200, { by: visitor?.username, role: visitor?.role, q: query.get('q') }),
};
const PAGE: HttpRoute = { ...LOOK, path: '/', isPage: true };

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

t.test('every answer tells browsers how far to trust it', async (t) => {
  const { server } = await start();
  t.teardown(() => server.close());
  for (const path of ['/healthz', '/nothing']) {
    const { headers } = await ask(server, path);
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'content-security-policy': /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
    });
    t.notMatch(headers['content-security-policy'], /unsafe|\*/);
  }
});

t.test('who has not logged in gets an error, tools a hint how, and people the login page', async (t) => {
  const { server } = await start({ routes: [LOOK, PAGE, CHANGE] });
  t.teardown(() => server.close());
  t.match(await ask(server, '/look'), { status: 401, headers: { 'www-authenticate': /^Basic realm/ } });
  const inBrowser = await ask(server, '/look', 'GET', undefined, { 'sec-fetch-mode': 'cors' });
  t.equal(inBrowser.status, 401);
  t.equal(inBrowser.headers['www-authenticate'], undefined, 'a browser must not ask and remember');
  t.match(await ask(server, '/'), { status: 303, headers: { location: '/login' } });
  t.equal((await ask(server, '/change', 'POST', '{}')).status, 401);
  t.equal((await ask(server, '/look', 'GET', undefined, { cookie: `sluice_${server.port}=x` })).status, 401);
  t.match(await ask(server, '/look?q=a%20b', 'GET', undefined, basic('ops', 'ops secret')), {
    status: 200,
    body: '{"by":"ops","role":"admin","q":"a b"}\n',
  });
  t.match(await ask(server, '/look', 'GET', undefined, basic('watcher', 'password')), { status: 200 });
  for (const wrong of [
    basic('ops', 'wrong'),
    basic('nobody', 'ops secret'),
    basic('ops', ''),
    { authorization: 'Basic !' },
    { authorization: `Basic ${Buffer.from('no colon').toString('base64')}` },
    { authorization: 'Bearer x' },
  ])
    t.equal((await ask(server, '/look', 'GET', undefined, wrong)).status, 401);
});

t.test('a stats user may look and not act', async (t) => {
  const { server } = await start({ routes: [LOOK, CHANGE] });
  t.teardown(() => server.close());
  t.match(await ask(server, '/change', 'POST', '{}', basic('watcher', 'password')), {
    status: 403,
    body: '{"error":"/change needs an admin user"}\n',
  });
  t.match(await ask(server, '/change', 'POST', '{}', basic('ops', 'ops secret')), {
    status: 200,
    body: '{"by":"ops","body":"{}"}\n',
  });
});

t.test('a password that a browser sends for another site changes nothing', async (t) => {
  const { server, log } = await start({ routes: [CHANGE] });
  t.teardown(() => server.close());
  const own = basic('ops', 'ops secret');
  for (const foreign of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${server.port + 1}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
  ])
    t.match(await ask(server, '/change', 'POST', '{}', { ...own, ...foreign }), { status: 403 });
  t.equal(log.filter(({ message }) => message === 'http request refused').length, 6);
  const origin = `http://127.0.0.1:${server.port}`;
  t.equal((await ask(server, '/change', 'POST', '{}', { ...own, origin })).status, 200);
});

t.test('by a name that is not its own it is nobody: somebody else may have given it that name', async (t) => {
  const { server } = await start({ routes: [LOOK] });
  t.teardown(() => server.close());
  const own = basic('ops', 'ops secret');
  for (const host of ['localhost', '127.0.0.1', '[::1]:6080', '10.0.0.7:1', 'Sluice.example.org:6080'])
    t.equal((await ask(server, '/look', 'GET', undefined, { ...own, host })).status, 200, host);
  for (const host of ['evil.example', 'evil.example:6080', 'localhost.evil.example', 'x.sluice.example.org'])
    t.match(
      await ask(server, '/look', 'GET', undefined, { ...own, host }),
      { status: 421, body: /http\.hostNames/ },
      host,
    );
  t.equal((await ask(server, '/metrics', 'GET', undefined, { host: 'evil.example' })).status, 421);
  t.equal((await ask(server, '/healthz', 'GET', undefined, { host: 'evil.example' })).status, 200);
  t.ok(isKnownHost('sluice.default.svc', { host: '0.0.0.0', hostNames: [] }), 'elsewhere names are usual');
});

t.test('metrics behind a login where they are not open', async (t) => {
  const { server } = await start({ metricsAreOpen: false });
  t.teardown(() => server.close());
  t.equal((await ask(server, '/metrics')).status, 401);
  t.equal((await ask(server, '/metrics', 'GET', undefined, basic('watcher', 'password'))).status, 200);
  t.equal((await ask(server, '/healthz')).status, 200);
});

t.test('a body has its limit', async (t) => {
  const { server } = await start({ routes: [CHANGE] });
  t.teardown(() => server.close());
  const own = basic('ops', 'ops secret');
  t.equal((await ask(server, '/change', 'POST', 'x'.repeat(65_536), own)).status, 200);
  t.match(await ask(server, '/change', 'POST', 'x'.repeat(65_537), own), {
    status: 413,
    headers: { connection: 'close' },
  });
});

t.test('who asks without end waits; health does not', async (t) => {
  const { server } = await start({ routes: [LOOK], perSecond: 10 });
  t.teardown(() => server.close());
  const startedAt = performance.now();
  const replies = await Promise.all(Array.from({ length: 60 }, () => ask(server, '/look')));
  const elapsedMs = performance.now() - startedAt;
  const answered = replies.filter(({ status }) => status === 401).length;
  t.equal(replies.filter(({ status }) => status === 429).length, 60 - answered, 'the others are told to go');
  const most = 10 + Math.ceil(elapsedMs / 100);
  t.ok(answered >= 20 && answered <= most, `${answered} of 60 were answered within ${elapsedMs} ms`);
  t.ok(elapsedMs > 1500, `after ${elapsedMs} ms`);
  const before = performance.now();
  await Promise.all(Array.from({ length: 60 }, () => ask(server, '/healthz')));
  t.ok(performance.now() - before < 1500);
});

t.test('who holds connections keeps nobody out', async (t) => {
  const { server } = await start({ maxConnections: 4 });
  t.teardown(() => server.close());
  for (const sent of ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /healthz HTTP/1.1\r\nHo', '']) {
    const sockets: Socket[] = [];
    for (let index = 0; index < 6; index++) {
      const socket = connect(server.port, server.host);
      socket.on('error', () => undefined);
      t.teardown(() => socket.destroy());
      sockets.push(socket);
      await once(socket, 'connect');
      socket.write(sent);
      if (sent.endsWith('\r\n\r\n')) await once(socket, 'data');
    }
    t.equal((await ask(server, '/healthz')).status, 200);
    const open = sockets.filter(({ readyState }) => readyState === 'open').length;
    t.ok(open <= 4, `${open} are left`);
  }
});
