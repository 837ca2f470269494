/** What a record says of flushes, on its way through bytes; and that a damaged one says nothing. */

import t from 'tap';
import {
  digestSubject,
  FlushRecord,
  INCARNATION_BYTES,
  tableSubject,
} from '../../../../../src/data/cache/level2/flush-record.ts';
import { decodeMembers, encodeMembers } from '../../../../../src/data/cache/level2/member-list.ts';
import { PendingFlushes } from '../../../../../src/data/cache/level2/pending-flushes.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const INCARNATION = Buffer.alloc(INCARNATION_BYTES, 3);
const OTHER = Buffer.alloc(INCARNATION_BYTES, 4);
const DIGEST = '0x00112233445566FF';
const ofTables = (...slots: number[]) => Int32Array.from(slots);

function again(record: FlushRecord): FlushRecord {
  const read = FlushRecord.decode(record.encode());
  if (read === null) throw new Error('it is none');
  return read;
}

t.test('what is of something that was flushed since is not good, and everything else is', (t) => {
  const first = again(FlushRecord.anew(INCARNATION));
  const digest = () => DIGEST;
  const other = () => '0x1';
  t.ok(first.allows(first, ofTables(7), digest));
  const second = again(first.flushing([tableSubject(7), tableSubject(65_535)]));
  t.notOk(second.allows(first, ofTables(7), digest));
  t.notOk(second.allows(first, ofTables(1, 65_535), digest), 'any of its tables');
  t.ok(second.allows(first, ofTables(1, 8), digest));
  t.ok(second.allows(second, ofTables(7), digest), 'what was read since');
  const third = again(second.flushing([digestSubject(DIGEST)]));
  t.notOk(third.allows(second, ofTables(1), digest));
  t.ok(third.allows(second, ofTables(1), other));
  t.ok(third.allows(second, ofTables(7), other));
  t.notOk(third.allows(first, ofTables(7), other));
  t.notOk(second.allows(third, ofTables(1), other), 'what was read under a later record than there is');
  t.notOk(FlushRecord.anew(INCARNATION).allows(third, ofTables(), other), 'another base');
  t.ok(third.isAfter(second));
  t.notOk(second.isAfter(third));
  t.notOk(FlushRecord.anew(INCARNATION).isAfter(second));
  t.end();
});

t.test('what it has no room for was flushed', (t) => {
  let record = FlushRecord.anew(INCARNATION);
  const marks = [record];
  for (let slot = 0; slot < 300; slot++) {
    record = again(record.flushing([tableSubject(slot)]));
    marks.push(record);
  }
  const digest = () => DIGEST;
  t.ok(record.encode().length < 2000);
  for (const [count, mark] of marks.entries()) {
    t.equal(record.allows(mark, ofTables(1000), digest), count >= 300 - 128, `of count ${count}`);
    t.notOk(count < 300 && record.allows(mark, ofTables(count), digest), 'and never what was flushed itself');
  }
  t.end();
});

t.test('cut or changed it is none', (t) => {
  const bytes = FlushRecord.anew(INCARNATION)
    .flushing([tableSubject(1)])
    .encode();
  const random = new SeededRandom(8);
  for (let at = 0; at < bytes.length; at++) {
    t.equal(FlushRecord.decode(bytes.subarray(0, at)), null);
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ (1 + random.below(255));
    t.equal(FlushRecord.decode(damaged), null);
  }
  t.end();
});

t.test('the list of members', (t) => {
  const ids = ['0011223344556677', '8899aabbccddeeff'];
  const bytes = encodeMembers(INCARNATION, ids);
  t.strictSame(decodeMembers(bytes, INCARNATION), ids);
  t.strictSame(decodeMembers(encodeMembers(INCARNATION, []), INCARNATION), []);
  t.equal(decodeMembers(bytes, OTHER), null, 'of another time');
  t.equal(decodeMembers(null, INCARNATION), null);
  for (let at = 0; at < bytes.length; at++) {
    t.equal(decodeMembers(bytes.subarray(0, at), INCARNATION), null);
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 1;
    t.equal(decodeMembers(damaged, INCARNATION), null);
  }
  t.end();
});

t.test('what has come while it was written is written as well', (t) => {
  const pending = new PendingFlushes();
  t.ok(pending.isEmpty);
  pending.add(['a']);
  const { order } = pending;
  t.strictSame(order.subjects, ['a']);
  pending.add(['b']);
  pending.written(order);
  t.strictSame(pending.order.subjects, ['a', 'b']);
  pending.written(pending.order);
  t.ok(pending.isEmpty);
  pending.add(['a']);
  pending.add(null);
  t.equal(pending.order.subjects, null);
  pending.written(pending.order);
  for (let i = 0; i < 100; i++) pending.add([`${i}`]);
  t.equal(pending.order.subjects, null, 'too many are everything');
  t.end();
});
