/** The settings of the http port in a real Sluice: who may ask what, where, over what, and for how long. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import t from 'tap';
import { nativeHashOf } from '../../../protocol/index.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { freePort } from '../../support/ports.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const OPS = { username: 'ops', password: 'ops secret', role: 'admin' };
const HASHED = { username: 'hashed', password: nativeHashOf('hashed secret'), role: 'stats' };

const set = await new ReplicationSet({ replicas: 0 }).start();
t.teardown(() => set.dispose());

function basic(username: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(5000) });
  await response.text();
  return response.status;
}

/** As a browser sends the form; the cookie, or the status of a refusal. */
async function login(url: string, username: string, password: string): Promise<string | number> {
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username, password }),
    headers: { origin: url },
    redirect: 'manual',
  });
  return response.status === 303
    ? (response.headers.getSetCookie()[0]?.split(';')[0] ?? 'no cookie')
    : response.status;
}

t.test('logins end: by time, by a change of the user, by being too many failures', async (t) => {
  const config = (users: ConfigObject[], http: ConfigObject = {}): ConfigObject => ({
    servers: [set.primary.address],
    users: [{ username: 'app', password: 'app-secret' }],
    admin: { users },
    http: { sessionIdleMs: 60_000, ...http },
  });
  const sluice = await SluiceProcess.startFor(set, { config: config([OPS, HASHED]) });
  t.teardown(() => sluice.dispose());
  const url = `http://${sluice.host}:${sluice.httpPort}`;
  const me = (cookie: string | number) => status(`${url}/api/me`, { cookie: String(cookie) });

  const ops = await login(url, 'ops', 'ops secret');
  const hashed = await login(url, 'hashed', 'hashed secret');
  t.strictSame([await me(ops), await me(hashed)], [200, 200]);
  t.equal(await status(`${url}/metrics`), 200, 'open on loopback');

  sluice.writeConfig(config([OPS, { ...HASHED, password: 'another' }], { openMetrics: false }));
  sluice.signal('SIGHUP');
  await waitUntil('the login of the changed user has ended', async () => (await me(hashed)) === 401);
  t.equal(await me(ops), 200, 'nobody else is logged out');
  t.equal(await status(`${url}/metrics`), 401);
  t.equal(await status(`${url}/metrics`, basic('hashed', 'another')), 200, 'as Prometheus would ask');
  t.strictSame([await status(`${url}/healthz`), await status(`${url}/readyz`)], [200, 200]);

  sluice.writeConfig(config([OPS], { sessionIdleMs: 1000 }));
  sluice.signal('SIGHUP');
  await waitUntil('a login that nobody touches has ended', async () => (await me(ops)) === 401);

  const startedAt = performance.now();
  for (let failure = 1; failure <= 5; failure++) t.equal(await login(url, 'ops', 'wrong'), 401);
  t.ok(performance.now() - startedAt >= 600, 'the fourth and fifth were held back');
  const both = await Promise.all([login(url, 'ops', 'wrong'), login(url, 'ops', 'ops secret!')]);
  t.strictSame(both.toSorted(), [401, 429], 'while one is held back the other is not even looked at');
  t.type(await login(url, 'ops', 'ops secret'), 'string');
});

t.test('HTTPS, and an address for metrics alone', async (t) => {
  const authority = await CertificateAuthority.create();
  t.teardown(() => authority.dispose());
  const tls = await authority.issue('http', ['IP:127.0.0.1']);
  const metricsPort = await freePort();
  const http = { tls: true, metricsAddress: `127.0.0.1:${metricsPort}` };
  const sluice = await SluiceProcess.startFor(set, {
    config: { tls, http, admin: { users: [OPS] } },
    readyUrl: `http://127.0.0.1:${metricsPort}/readyz`,
  });
  t.teardown(() => sluice.dispose());
  const asking = request({
    host: '127.0.0.1',
    port: sluice.httpPort,
    path: '/login',
    method: 'POST',
    ca: readFileSync(authority.file),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  asking.end(new URLSearchParams({ username: 'ops', password: 'ops secret' }).toString());
  const [response] = await once(asking, 'response');
  response.resume();
  t.equal(response.statusCode, 303);
  t.match(response.headers['set-cookie']?.[0], /HttpOnly; SameSite=Strict; Secure/);
  await t.rejects(fetch(`http://127.0.0.1:${sluice.httpPort}/healthz`), 'plain HTTP gets no answer');
  const metrics = `http://127.0.0.1:${metricsPort}`;
  t.equal(await status(`${metrics}/metrics`), 200);
  for (const path of ['/', '/login', '/api/me', '/assets/main.ts'])
    t.equal(await status(`${metrics}${path}`), 404, path);
});

t.test('without the dashboard there is nothing to log in to', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { http: { dashboard: false } } });
  t.teardown(() => sluice.dispose());
  const url = `http://${sluice.host}:${sluice.httpPort}`;
  t.equal(await status(`${url}/metrics`), 200);
  for (const path of ['/', '/login', '/api/overview', '/assets/base.css'])
    t.equal(await status(`${url}${path}`), 404, path);
});
