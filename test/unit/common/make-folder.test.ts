import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '../../../src/common/make-folder.ts';

t.test('with those that it is in, for their owner only', async (t) => {
  const root = t.testdir({});
  const folder = join(root, 'a/b/c');
  makeFolder(folder, 0o700);
  for (const path of ['a', 'a/b', 'a/b/c']) t.equal(statSync(join(root, path)).mode & 0o777, 0o700, path);
  mkdirSync(join(folder, 'open'), { mode: 0o755 });
  makeFolder(join(folder, 'open'), 0o700);
  t.equal(statSync(join(folder, 'open')).mode & 0o777, 0o755, 'what is there stays as it is');
});

t.test('where there cannot be one', async (t) => {
  const file = join(t.testdir({}), 'file');
  writeFileSync(file, '', { mode: 0o755 });
  t.throws(() => makeFolder(file, 0o700), { code: 'EEXIST' });
  t.throws(() => makeFolder(join(file, 'below'), 0o700), { code: 'ENOTDIR' });
  // Node's own `mkdir` with `recursive` never returns from here.
  t.throws(() => makeFolder('/proc/sluice/data', 0o700), { code: 'ENOENT' });
});
