/** The checksum of short pieces is zlib's. */

import { crc32 } from 'node:zlib';
import t from 'tap';
import { smallCrc32 } from '../../../../protocol/binlog/small-crc32.ts';

t.test('of pieces of every length, wherever they begin', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 2_654_435_761) >>> 11));
  const wrong: string[] = [];
  for (let start = 0; start < 20; start++)
    for (let end = start; end <= bytes.length; end++)
      if (smallCrc32(bytes, start, end) !== crc32(bytes.subarray(start, end))) wrong.push(`${start}..${end}`);
  t.strictSame(wrong, []);
  t.equal(smallCrc32(Buffer.from('123456789'), 0, 9), 0xcbf4_3926);
});
