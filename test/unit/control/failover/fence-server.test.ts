import t from 'tap';
import { fenceServer } from '../../../../src/control/failover/rejoin/fence-server.ts';

t.test('what read_only waits for is ended, and nothing else', async (t) => {
  const done: string[] = [];
  let release: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const another = async () => ({
    setSemiSync: async (source: boolean | null, replica: boolean | null) => {
      done.push(`semi-sync ${source} ${replica}`);
      release();
    },
    close: () => done.push('closed'),
  });
  await fenceServer({ setReadOnly: () => Promise.resolve() }, another);
  t.strictSame(done, [], 'a server that obeys at once keeps its settings');
  await fenceServer({ setReadOnly: () => waiting }, another);
  t.strictSame(done, ['semi-sync false null', 'closed']);
  const refused = fenceServer({ setReadOnly: () => Promise.reject(new Error('refused')) }, another);
  await t.rejects(refused, /refused/);
});
