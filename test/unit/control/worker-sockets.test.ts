import t from 'tap';
import type { ListeningSocket } from '../../../src/common/listening-socket.ts';
import { WorkerSockets } from '../../../src/control/worker-sockets.ts';

function tcp(fd: number, port = 6033): ListeningSocket {
  return { use: 'clients', host: '0.0.0.0', port, path: null, fd, identity: '' };
}

function unix(fd: number, path: string): ListeningSocket {
  return { use: 'clients', host: '', port: 0, path, fd, identity: '' };
}

function fds(sockets: WorkerSockets, workers: number): number[][] {
  return Array.from({ length: workers }, (_, worker) => sockets.toOpen(worker).map(({ fd }) => fd));
}

t.test('each address is shared out anew, whatever the number of workers was', (t) => {
  const inherited = [tcp(4), tcp(5), tcp(6), tcp(7, 6034), tcp(8, 6034), tcp(9, 6034)];
  t.strictSame(fds(new WorkerSockets(3, inherited, []), 3), [
    [4, 7],
    [5, 8],
    [6, 9],
  ]);
  t.strictSame(
    fds(new WorkerSockets(2, inherited, []), 2),
    [
      [4, 6, 7, 9],
      [5, 8],
    ],
    'none is left in its queue',
  );
  t.strictSame(
    fds(new WorkerSockets(4, inherited, []), 4),
    [[4, 7], [5, 8], [6, 9], []],
    'the fourth opens its own',
  );
  t.end();
});

t.test('Unix sockets go to the worker whose they are', (t) => {
  const inherited = [unix(4, '/b'), unix(5, '/a'), unix(6, '/c')];
  t.strictSame(fds(new WorkerSockets(2, inherited, ['/a', '/b', '/c']), 2), [[5, 6], [4]]);
  t.end();
});

t.test('a worker that crashes before it has opened them finds them again, and not afterwards', (t) => {
  const sockets = new WorkerSockets(1, [tcp(4)], []);
  sockets.ended(0);
  t.equal(sockets.toOpen(0).length, 1);
  sockets.accepting(0, []);
  sockets.ended(0);
  t.equal(sockets.toOpen(0).length, 0);
  t.end();
});

t.test('all tell where they listen', async (t) => {
  const sockets = new WorkerSockets(2, [], []);
  const asked: number[] = [];
  const told = sockets.ask([0, 1], (worker) => asked.push(worker));
  sockets.told(1, [tcp(5)]);
  sockets.told(1, [tcp(6)]);
  sockets.told(0, [tcp(4)]);
  t.strictSame(
    (await told).map(({ fd }) => fd),
    [5, 4],
  );
  t.strictSame(asked, [0, 1]);
  t.strictSame(await sockets.ask([], () => t.fail('there is nobody')), []);
});

t.test('clients are let in when all workers do', async (t) => {
  const sockets = new WorkerSockets(2, [], []);
  let isDone = false;
  const done = sockets.untilAccepting([0, 1], 10_000).then(() => {
    isDone = true;
  });
  sockets.accepting(0, []);
  await Promise.resolve();
  t.equal(isDone, false);
  sockets.accepting(1, []);
  await done;
  const failing = new WorkerSockets(2, [], []);
  const failed = failing.untilAccepting([0, 1], 10_000);
  failing.accepting(1, ['EADDRINUSE']);
  await t.rejects(failed, { message: 'cannot listen: EADDRINUSE' });
  await t.rejects(new WorkerSockets(1, [], []).untilAccepting([0], 1), /not all workers let clients in/);
});
