import t from 'tap';
import { copyBytes } from '../../../src/common/copy-bytes.ts';

t.test('bytes of any number are copied, and no others touched', async (t) => {
  const source = Buffer.from(Array.from({ length: 200 }, (_, n) => n + 1));
  for (const count of [0, 1, 2, 31, 32, 33, 34, 100, 150]) {
    const target = Buffer.alloc(200);
    t.equal(copyBytes(target, 7, source, 5, 5 + count), 7 + count);
    const wanted = Buffer.concat([
      Buffer.alloc(7),
      source.subarray(5, 5 + count),
      Buffer.alloc(200 - 7 - count),
    ]);
    t.ok(target.equals(wanted), `${count} bytes`);
  }
});
