/** What may be kept of an answer, and what it is to the clients that get it. */

import t from 'tap';
import { Capability, ResultsetWriter, StatusFlag } from '../../../../protocol/index.ts';
import { ResultBlocks } from '../../../../src/data/cache/result-blocks.ts';
import { CaptureBudget, ResultCapture } from '../../../../src/data/cache/result-capture.ts';
import { StoredResult } from '../../../../src/data/cache/stored-result.ts';

const blocks = new ResultBlocks();
const AUTOCOMMIT = StatusFlag.SERVER_STATUS_AUTOCOMMIT;

function answer(deprecatesEof: boolean, statusFlags: number = AUTOCOMMIT, warnings = 0): Buffer {
  const capabilities = Capability.CLIENT_PROTOCOL_41 | (deprecatesEof ? Capability.CLIENT_DEPRECATE_EOF : 0);
  const writer = new ResultsetWriter([{ name: 'a' }], { capabilities, statusFlags, warnings, sequenceId: 1 });
  writer.row(['x']);
  writer.end();
  return writer.take();
}

t.test('both kinds of clients get the answer that a server gives them', (t) => {
  for (const filledBy of [true, false]) {
    const stored = StoredResult.of(answer(filledBy), filledBy, blocks);
    t.equal(stored?.hasShape(filledBy), true);
    t.equal(stored?.hasShape(!filledBy), false);
    for (const deprecatesEof of [true, false]) {
      const bytes = stored?.bytesFor(deprecatesEof);
      t.ok(bytes?.equals(answer(deprecatesEof)), `filled by ${filledBy}, shown to ${deprecatesEof}`);
      t.equal(stored?.bytesFor(deprecatesEof), bytes, 'made once');
    }
    const taken = ResultBlocks.bytesFor(answer(true).length) + ResultBlocks.bytesFor(answer(false).length);
    t.equal(stored?.byteLength, taken);
    t.equal(stored?.rowCount, 1);
  }
  t.end();
});

t.test('flags of the statement stay, those of its run do not', (t) => {
  const flags = AUTOCOMMIT | StatusFlag.SERVER_QUERY_NO_INDEX_USED | StatusFlag.SERVER_STATUS_ANSI_QUOTES;
  const stored = StoredResult.of(answer(true, flags | StatusFlag.SERVER_QUERY_WAS_SLOW), true, blocks);
  t.equal(stored?.statusFlags, flags);
  t.ok(stored?.bytesFor(true).equals(answer(true, flags)));
  t.end();
});

t.test('clients that knew other columns are told', (t) => {
  const told = AUTOCOMMIT | StatusFlag.SERVER_STATUS_METADATA_CHANGED;
  for (const deprecatesEof of [true, false]) {
    const stored = StoredResult.of(answer(true), true, blocks);
    const expected = answer(deprecatesEof, told);
    t.strictSame(stored?.bytesWithNewColumns(deprecatesEof), expected);
    t.ok(stored?.bytesFor(deprecatesEof).equals(answer(deprecatesEof)), 'and nobody else');
  }
  t.end();
});

t.test("what is one session's is nobody else's", (t) => {
  for (const flag of [
    StatusFlag.SERVER_STATUS_IN_TRANS,
    StatusFlag.SERVER_STATUS_IN_TRANS_READONLY,
    StatusFlag.SERVER_STATUS_METADATA_CHANGED,
    StatusFlag.SERVER_MORE_RESULTS_EXISTS,
  ])
    t.equal(StoredResult.of(answer(true, AUTOCOMMIT | flag), true, blocks), null, `flag ${flag}`);
  t.equal(StoredResult.of(answer(true, 0), true, blocks), null, 'without autocommit');
  t.equal(StoredResult.of(answer(true, AUTOCOMMIT, 1), true, blocks), null, 'with a warning');
  t.end();
});

t.test('the bytes are copied out of the read buffer', (t) => {
  const buffer = Buffer.from(answer(true));
  const stored = StoredResult.of(buffer, true, blocks);
  buffer.fill(0);
  t.ok(stored?.bytesFor(true).equals(answer(true)));
  const capture = new ResultCapture(1000, new CaptureBudget(1000));
  const chunk = Buffer.from('abcdef');
  capture.passed(chunk.subarray(1, 3));
  capture.passed(chunk.subarray(3, 6));
  chunk.fill(0);
  t.equal(capture.take()?.toString(), 'bcdef');
  t.equal(capture.take(), null, 'taken');
  t.end();
});

t.test('a capture holds no more than it may', (t) => {
  const chunk = Buffer.alloc(10);
  const exact = new ResultCapture(20, new CaptureBudget(1000));
  exact.passed(chunk.subarray(0, 10));
  exact.passed(chunk.subarray(0, 10));
  t.equal(exact.isTooLarge, false);
  t.equal(exact.take()?.length, 20);
  const over = new ResultCapture(19, new CaptureBudget(1000));
  over.passed(chunk.subarray(0, 10));
  over.passed(chunk.subarray(0, 10));
  over.passed(chunk.subarray(0, 1));
  t.equal(over.isTooLarge, true);
  t.equal(over.take(), null);
  t.end();
});

t.test('all answers that are coming share a bound', (t) => {
  const budget = new CaptureBudget(25);
  const [first, second, third] = [1, 2, 3].map(() => new ResultCapture(20, budget));
  const chunk = Buffer.alloc(10);
  first?.passed(chunk);
  second?.passed(chunk);
  third?.passed(chunk);
  t.equal(third?.isTooLarge, true);
  t.equal(budget.bytes, 20);
  t.equal(first?.take()?.length, 10);
  second?.passed(chunk);
  t.equal(second?.isTooLarge, false);
  second?.clear();
  second?.clear();
  t.equal(budget.bytes, 0);
  t.end();
});

t.test('what has been given back is not sent any more', (t) => {
  const stored = StoredResult.of(answer(true), true, blocks);
  stored?.release();
  stored?.release();
  t.equal(stored?.isReleased, true);
  t.throws(() => stored?.bytesFor(true), /given back/);
  t.end();
});
