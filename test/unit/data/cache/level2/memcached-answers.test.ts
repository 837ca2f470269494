/** memcached's answers, whole, byte by byte and cut at random; and what is none. */

import t from 'tap';
import {
  type MemcachedAnswer,
  MemcachedAnswers,
} from '../../../../../src/data/cache/level2/memcached-answers.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const STREAM = Buffer.from(
  [
    'END\r\n',
    'VALUE sluice:generation 0 3\r\na\nb\r\nVALUE sluice:x 0 5\r\nEND\r\n\r\nEND\r\n',
    'STORED\r\nNOT_STORED\r\nVALUE k 0 0\r\n\r\nEND\r\n',
    'SERVER_ERROR object too large for cache\r\nERROR\r\n',
    'VALUE k 0 1 18446744073709551615\r\na\r\nEND\r\nTOUCHED\r\nDELETED\r\n',
  ].join(''),
  'latin1',
);
const EXPECTED = [
  ['END', []],
  ['END', ['sluice:generation=a\nb', 'sluice:x=END\r\n']],
  ['STORED', []],
  ['NOT_STORED', []],
  ['END', ['k=']],
  ['SERVER_ERROR object too large for cache', []],
  ['ERROR', []],
  ['END', ['k@18446744073709551615=a']],
  ['TOUCHED', []],
  ['DELETED', []],
];

function shown(answers: readonly MemcachedAnswer[]): unknown[] {
  return answers.map(({ line, values }) => [
    line,
    values.map(({ key, bytes, version }) =>
      version === '' ? `${key}=${bytes.toString('latin1')}` : `${key}@${version}=${bytes.toString('latin1')}`,
    ),
  ]);
}

t.test('however it comes', (t) => {
  t.strictSame(shown(new MemcachedAnswers(100).push(STREAM)), EXPECTED, 'whole');
  const single = new MemcachedAnswers(100);
  t.strictSame(shown([...STREAM].flatMap((byte) => single.push(Buffer.of(byte)))), EXPECTED, 'byte by byte');
  const random = new SeededRandom(77);
  for (let round = 0; round < 200; round++) {
    const answers = new MemcachedAnswers(100);
    const found: MemcachedAnswer[] = [];
    for (let at = 0; at < STREAM.length; ) {
      const end = Math.min(STREAM.length, at + 1 + random.below(40));
      found.push(...answers.push(STREAM.subarray(at, end)));
      at = end;
    }
    t.strictSame(shown(found), EXPECTED);
  }
  t.end();
});

t.test('what is no answer', (t) => {
  for (const text of [
    'HELLO\r\n',
    '\r\n',
    'VALUE k 0 -1\r\n',
    'VALUE k 0 101\r\n',
    'VALUE k 0 99999999999\r\n',
    'VALUE  0 1\r\n',
    'VALUE k 0 1\r\nxxx',
    'VALUE a 0 0\r\n\r\n'.repeat(129),
    'VALUE a 0 0 x\r\n\r\n',
    'x'.repeat(3000),
    `SERVER_ERROR ${'x'.repeat(3000)}\r\n`,
  ])
    t.throws(() => new MemcachedAnswers(100).push(Buffer.from(text, 'latin1')), text.slice(0, 20));
  t.end();
});
