import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** A server that sends back what it gets, and the proxy in front of it. */
async function startEcho(t: Test) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  t.teardown(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return proxy;
}

async function client(t: Test, proxy: FaultProxy) {
  const socket = connect(proxy.port, proxy.host);
  const seen = { text: '', error: '', closed: false };
  socket.on('data', (chunk) => {
    seen.text += chunk.toString('latin1');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code ?? error.message;
  });
  socket.on('close', () => {
    seen.closed = true;
  });
  t.teardown(() => socket.destroy());
  // A reset may come before the connection is reported.
  await waitUntil('the client is connected, or was refused', () => !socket.connecting || seen.closed);
  return { socket, seen };
}

t.test('without faults bytes pass, many of them too', async (t) => {
  const proxy = await startEcho(t);
  const { socket, seen } = await client(t, proxy);
  const text = 'x'.repeat(5_000_000);
  socket.write(text);
  await waitUntil('everything is back', () => seen.text.length === text.length);
  t.equal(proxy.openLinks, 1);
  socket.end();
  await waitUntil('the link is closed', () => proxy.openLinks === 0);
  t.equal(seen.error, '');
});

t.test('paused bytes arrive later, dropped ones never', async (t) => {
  const proxy = await startEcho(t);
  const { socket, seen } = await client(t, proxy);
  socket.write('a');
  await waitUntil('the first byte is back', () => seen.text === 'a');
  proxy.pause('up');
  socket.write('b');
  proxy.inject('down', Buffer.from('-'));
  await waitUntil('the injected byte is there', () => seen.text === 'a-');
  proxy.heal();
  await waitUntil('the held byte is back', () => seen.text === 'a-b');
  proxy.drop('up');
  socket.write('c');
  proxy.inject('down', Buffer.from('+'));
  await waitUntil('the injected byte is there', () => seen.text === 'a-b+');
  proxy.heal();
  socket.write('d');
  await waitUntil('the next byte is back', () => seen.text.endsWith('d'));
  t.equal(seen.text, 'a-b+d');
});

t.test('latency delays and keeps the order', async (t) => {
  const proxy = await startEcho(t);
  const { socket, seen } = await client(t, proxy);
  proxy.delay(150, 'up');
  const startedAt = performance.now();
  socket.write('a');
  await waitUntil('it is back', () => seen.text === 'a');
  t.ok(performance.now() - startedAt >= 149, 'not before the delay');
  socket.write('b');
  proxy.delay(0, 'up');
  socket.write('c');
  await waitUntil('both are back', () => seen.text.length === 3);
  t.equal(seen.text, 'abc');
});

t.test('a link is cut after exactly so many bytes', async (t) => {
  const proxy = await startEcho(t);
  proxy.cutAfter('down', 5, 'end');
  const { socket, seen } = await client(t, proxy);
  socket.write('0123456789');
  await waitUntil('the client is cut off', () => seen.closed);
  t.equal(seen.text, '01234');
  t.equal(seen.error, '');

  proxy.heal();
  const second = await client(t, proxy);
  second.socket.write('0123456789');
  await waitUntil('everything is back', () => second.seen.text === '0123456789');
  proxy.cutAfter('up', 2, 'reset');
  second.socket.write('abc');
  await waitUntil('the client is cut off', () => second.seen.closed);
  t.equal(second.seen.error, 'ECONNRESET');
});

t.test('bytes are overwritten where told, also across chunks', async (t) => {
  const proxy = await startEcho(t);
  const { socket, seen } = await client(t, proxy);
  proxy.corrupt('up', 2, Buffer.from('XY'));
  socket.write('abc');
  await waitUntil('three bytes are back', () => seen.text.length === 3);
  socket.write('def');
  await waitUntil('six bytes are back', () => seen.text.length === 6);
  t.equal(seen.text, 'abXYef');
});

t.test('new connections are refused, old ones cut', async (t) => {
  const proxy = await startEcho(t);
  const { seen } = await client(t, proxy);
  await waitUntil('the link stands', () => proxy.openLinks === 1);
  proxy.refuse();
  proxy.cutNow();
  await waitUntil('the old one is cut', () => seen.closed);
  const late = await client(t, proxy);
  await waitUntil('the new one is refused', () => late.seen.closed);
  t.equal(late.seen.error, 'ECONNRESET');
  t.equal(proxy.accepted, 2);
  proxy.heal();
  const healed = await client(t, proxy);
  healed.socket.write('a');
  await waitUntil('it works again', () => healed.seen.text === 'a');
});
