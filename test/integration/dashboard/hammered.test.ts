/** Requests without end, thousands at once, and readers that never read: Sluice answers what it can, and serves its clients. */

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const CONNECTIONS = 100;
const REQUESTS = 10_000;
/** The answers that are kept for those who do not read are shared; this is for sockets and strings. */
const MOST_GROWTH_BYTES = 80 * 1024 * 1024;

const set = await new ReplicationSet({ replicas: 0 }).start();
t.teardown(() => set.dispose());
const sluice = await SluiceProcess.startFor(set, { config: { log: { level: 'info' } } });
t.teardown(() => sluice.dispose());

const authorization = `Basic ${Buffer.from('admin:admin').toString('base64')}`;

function requestText(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\n\r\n`;
}

async function open(): Promise<Socket> {
  const socket = connect(sluice.httpPort, sluice.host);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** A health check as load balancers make it, on a connection of its own: one that idles may be closed at any time. */
async function health(): Promise<number> {
  const request = get({ host: sluice.host, port: sluice.httpPort, path: '/healthz', agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

/** Statements one after the other, until it is over, at least one; how many there were. None may fail. */
async function serveUntil(isOver: () => boolean): Promise<number> {
  const client = await sluice.connect();
  let statements = 0;
  do {
    await client.query('SELECT 1');
    statements++;
  } while (!isOver());
  await client.end();
  return statements;
}

/** One request after the other on one connection, as fast as the answers come. */
async function askUntil(isOver: () => boolean): Promise<number> {
  const socket = await open();
  let answers = 0;
  while (!isOver()) {
    // Its answer is one packet.
    socket.write(requestText('/api/me'));
    const [chunk] = await once(socket, 'data');
    if (!String(chunk).startsWith('HTTP/1.1 200 ')) throw new Error(String(chunk).slice(0, 80));
    answers++;
  }
  socket.destroy();
  return answers;
}

t.test('a hundred connections that ask without end', async (t) => {
  // What answers requests is loaded for the first one.
  let looks = 0;
  await askUntil(() => looks++ > 0);
  const before = await sluice.rss();
  let isOver = false;
  const statements = serveUntil(() => isOver);
  const asked = Array.from({ length: CONNECTIONS }, () => askUntil(() => isOver));
  const startedAt = performance.now();
  // A health check has a deadline of its own here, and does not stand in their line.
  while (performance.now() - startedAt < 2500) t.equal(await health(), 200);
  isOver = true;
  const answers = (await Promise.all(asked)).reduce((sum, one) => sum + one, 0);
  const seconds = (performance.now() - startedAt) / 1000;
  t.ok(answers <= 200 + 100 * seconds + CONNECTIONS, `${answers} answers in ${seconds} s`);
  t.ok((await statements) > 0, 'clients were served meanwhile');
  const growth = (await sluice.rss()) - before;
  t.ok(growth < MOST_GROWTH_BYTES, `${growth} bytes more`);
  t.notOk(sluice.logContains('http request failed'));
});

t.test('ten thousand requests at once', async (t) => {
  const before = await sluice.rss();
  let isOver = false;
  const statements = serveUntil(() => isOver);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  const closed = sockets.map((socket) => {
    socket.resume().write(requestText('/api/overview').repeat(REQUESTS / CONNECTIONS));
    return once(socket, 'close');
  });
  await Promise.all(closed);
  t.equal(await health(), 200);
  isOver = true;
  t.ok((await statements) > 0, 'clients were served meanwhile');
  t.ok((await sluice.rss()) - before < MOST_GROWTH_BYTES);
});

t.test('readers that never read', async (t) => {
  const before = await sluice.rss();
  const sockets = await Promise.all(Array.from({ length: 200 }, open));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.pause();
    socket.write(requestText('/assets/uplot.js').repeat(8));
  }
  let isOver = false;
  const statements = serveUntil(() => isOver);
  for (let n = 0; n < 20; n++) t.equal(await health(), 200);
  isOver = true;
  t.ok((await statements) > 0);
  t.ok((await sluice.rss()) - before < MOST_GROWTH_BYTES);
});
