/** Ten thousand requests at once, and readers that never read: Sluice answers what it can, and clients notice nothing. */

import { once } from 'node:events';
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

/** Statements one after the other, until it is over; how many there were. */
async function serveUntil(isOver: () => boolean): Promise<number> {
  const client = await sluice.connect();
  let statements = 0;
  while (!isOver()) {
    await client.query('SELECT 1');
    statements++;
  }
  await client.end();
  return statements;
}

t.test('ten thousand requests at once', async (t) => {
  const before = await sluice.rss();
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  const answers = new Map<string, number>();
  let isOver = false;
  const statements = serveUntil(() => isOver);
  const closed = sockets.map(async (socket) => {
    let own = 0;
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const [, status = ''] of text.matchAll(/HTTP\/1\.1 (\d+) /g)) {
        answers.set(status, (answers.get(status) ?? 0) + 1);
        own++;
      }
      // The first ones get all of theirs, and keep their connection.
      if (own === REQUESTS / CONNECTIONS) socket.destroy();
    });
    for (let n = 0; n < REQUESTS / CONNECTIONS; n++) socket.write(requestText('/api/overview'));
    await once(socket, 'close');
  });
  const startedAt = performance.now();
  while (performance.now() - startedAt < 1500) {
    const askedAt = performance.now();
    t.equal((await sluice.get('/healthz')).status, 200);
    t.ok(performance.now() - askedAt < 2000, 'a health check does not stand in their line');
  }
  await Promise.all(closed);
  isOver = true;
  t.strictSame([...answers.keys()].toSorted(), ['200', '429']);
  t.ok((answers.get('200') ?? 0) < 1000, `${answers.get('200')} were answered, the others told to go`);
  t.ok((await statements) > 100, 'clients were served meanwhile');
  t.ok((await sluice.rss()) - before < MOST_GROWTH_BYTES);
  t.equal((await sluice.get('/healthz')).status, 200);
  t.notOk(sluice.logContains('http request failed'));
});

t.test('readers that never read', async (t) => {
  const before = await sluice.rss();
  const sockets = await Promise.all(Array.from({ length: 200 }, open));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.pause();
    socket.write(requestText('/assets/uplot.js').repeat(5));
  }
  let isOver = false;
  const statements = serveUntil(() => isOver);
  for (let n = 0; n < 20; n++) t.equal((await sluice.get('/healthz')).status, 200);
  isOver = true;
  t.ok((await statements) > 0);
  t.ok((await sluice.rss()) - before < MOST_GROWTH_BYTES);
});
