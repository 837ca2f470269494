import t from 'tap';
import { keptCopy } from '../../../src/common/kept-copy.ts';

t.test('a copy that is kept keeps nothing else', (t) => {
  const bytes = Buffer.from('0123456789');
  t.strictSame(keptCopy(bytes), bytes);
  const copy = keptCopy(bytes, 2, 5);
  t.equal(copy.toString(), '234');
  t.equal(copy.buffer.byteLength, 3);
  bytes.fill(0);
  t.equal(copy.toString(), '234');
  t.equal(keptCopy(bytes, 4, 4).length, 0);
  t.end();
});
