/** Values of the second level: what is written comes back, and what is damaged, cut or another's does not. */

import { crc32 } from 'node:zlib';
import t from 'tap';
import { Capability, ResultsetWriter, readResultset, StatusFlag } from '../../../../../protocol/index.ts';
import { CacheClass } from '../../../../../src/common/cache-settings.ts';
import { BASE_BYTES } from '../../../../../src/data/cache/level2/flush-record.ts';
import { sharedKey } from '../../../../../src/data/cache/level2/shared-key.ts';
import {
  decodeSharedValue,
  encodeSharedValue,
  type SharedValue,
} from '../../../../../src/data/cache/level2/shared-value.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const KEY = Buffer.alloc(32, 7);
const MAX_BYTES = 1 << 20;

function answer(deprecatesEof: boolean, rows: number): Buffer {
  const capabilities = Capability.CLIENT_PROTOCOL_41 | (deprecatesEof ? Capability.CLIENT_DEPRECATE_EOF : 0);
  const statusFlags = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
  const writer = new ResultsetWriter([{ name: 'a' }], {
    capabilities,
    statusFlags,
    warnings: 0,
    sequenceId: 1,
  });
  for (let row = 0; row < rows; row++) writer.row([`value ${row}`]);
  writer.end();
  return writer.take();
}

function madeValue(deprecatesEof: boolean, rows: number, more: Partial<SharedValue> = {}): SharedValue {
  const base = Buffer.alloc(BASE_BYTES, 9);
  const gtid = '0-1-12345678901';
  return {
    class: CacheClass.strong,
    packets: answer(deprecatesEof, rows),
    deprecatesEof,
    rowCount: rows,
    key: KEY,
    base,
    count: 5,
    readAtMs: 1_700_000_000_123.5,
    serverMs: 1.5,
    gtid,
    ...more,
  };
}

function encoded(value: SharedValue): Buffer {
  const bytes = encodeSharedValue(value, MAX_BYTES);
  if (bytes === null) throw new Error('it does not fit');
  return bytes;
}

/** As if whoever has written it had meant it so. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

t.test('what is written comes back, for both kinds of clients', (t) => {
  for (const deprecatesEof of [true, false]) {
    for (const rows of [0, 1, 300]) {
      for (const cacheClass of Object.values(CacheClass)) {
        for (const gtid of ['', '0-1-5', `${'0'.repeat(36)}:18446744073709551615`]) {
          const value = madeValue(deprecatesEof, rows, { class: cacheClass, gtid });
          const back = decodeSharedValue(encoded(value), KEY);
          t.strictSame(back, value);
        }
      }
    }
  }
  t.end();
});

t.test('cut at any length it is none', (t) => {
  const bytes = encoded(madeValue(true, 3));
  for (let length = 0; length < bytes.length; length++)
    t.equal(decodeSharedValue(bytes.subarray(0, length), KEY), null, `${length} bytes`);
  t.equal(decodeSharedValue(Buffer.concat([bytes, Buffer.alloc(1)]), KEY), null, 'one more');
  t.end();
});

t.test('any byte changed, it is none', (t) => {
  const bytes = encoded(madeValue(false, 3));
  const random = new SeededRandom(20_261_121);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ (1 + random.below(255));
    t.equal(decodeSharedValue(damaged, KEY), null, `byte ${at}`);
  }
  t.end();
});

t.test(
  'changed at random by who knows how to seal it: no answer but a whole result, and no exception',
  (t) => {
    const bytes = encoded(madeValue(true, 5));
    const random = new SeededRandom(4711);
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const damaged = Buffer.from(
        bytes.subarray(0, random.below(8) === 0 ? 80 + random.below(bytes.length - 80) : bytes.length),
      );
      for (let count = 1 + random.below(4); count > 0; count--)
        damaged[random.below(damaged.length - 4)] = random.below(256);
      const value = decodeSharedValue(sealed(damaged), KEY);
      if (value === null) refused++;
      else if (readResultset(value.packets, value.deprecatesEof) === null) t.fail(`round ${round}`);
    }
    t.ok(refused > 5000, `${refused} refused`);
    t.end();
  },
);

t.test('of another key, of another format, with another count of rows', (t) => {
  const bytes = encoded(madeValue(true, 3));
  t.equal(decodeSharedValue(bytes, Buffer.alloc(32, 8)), null);
  const other = Buffer.from(bytes);
  other.write('SLC2', 'latin1');
  t.equal(decodeSharedValue(sealed(other), KEY), null);
  const rows = Buffer.from(bytes);
  rows.writeUInt32LE(4, 72);
  t.equal(decodeSharedValue(sealed(rows), KEY), null);
  const never = Buffer.from(bytes);
  never.writeDoubleLE(Number.NaN, 60);
  t.equal(decodeSharedValue(sealed(never), KEY), null);
  t.not(decodeSharedValue(sealed(Buffer.from(bytes)), KEY), null, 'and as it was');
  t.end();
});

t.test('what does not fit is not shared', (t) => {
  const value = madeValue(true, 3);
  const { length } = encoded(value);
  t.equal(encodeSharedValue(value, length - 1), null);
  t.equal(encodeSharedValue(value, length)?.length, length);
  t.equal(encodeSharedValue({ ...value, gtid: 'x'.repeat(256) }, MAX_BYTES), null);
  t.end();
});

t.test('every part makes another key, wherever one ends and the next begins', (t) => {
  const parts = {
    server: 'mariadb 101100 10.0.0.5:3306 0-1-',
    scope: 'app app',
    command: 3,
    digest: Buffer.from('select ?'),
    prepared: null,
    rest: Buffer.from('select 1'),
  };
  const prepared = { text: Buffer.from('select ?'), schema: 'app', session: 'x' };
  const keys = [
    parts,
    { ...parts, server: 'mariadb 101100 10.0.0.6:3306 0-1-' },
    { ...parts, scope: 'app ap' },
    { ...parts, scope: 'app ap', digest: Buffer.from('pselect ?') },
    { ...parts, command: 23 },
    { ...parts, digest: Buffer.from('select ?s'), rest: Buffer.from('elect 1') },
    { ...parts, rest: Buffer.from('select 2') },
    { ...parts, prepared },
    { ...parts, prepared: { ...prepared, schema: null } },
    { ...parts, prepared: { ...prepared, session: 'y' } },
    { ...parts, prepared: { ...prepared, text: Buffer.from('select ?+') } },
  ].map((one) => sharedKey(one).toString('hex'));
  t.equal(new Set(keys).size, keys.length);
  t.equal(sharedKey({ ...parts }).toString('hex'), keys[0], 'and the same ones the same');
  t.equal(keys[0]?.length, 64);
  t.end();
});
