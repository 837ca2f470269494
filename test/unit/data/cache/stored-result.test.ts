/** What may be kept of an answer, and what it is to the clients that get it. */

import t from 'tap';
import { Capability, ResultsetWriter, StatusFlag } from '../../../../protocol/index.ts';
import { ResultCapture } from '../../../../src/data/cache/result-capture.ts';
import { StoredResult } from '../../../../src/data/cache/stored-result.ts';

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
    const stored = StoredResult.of(answer(filledBy), filledBy);
    t.equal(stored?.hasShape(filledBy), true);
    t.equal(stored?.hasShape(!filledBy), false);
    for (const deprecatesEof of [true, false]) {
      const bytes = stored?.bytesFor(deprecatesEof);
      t.ok(bytes?.equals(answer(deprecatesEof)), `filled by ${filledBy}, shown to ${deprecatesEof}`);
      t.equal(stored?.bytesFor(deprecatesEof), bytes, 'made once');
    }
    t.equal(stored?.byteLength, answer(true).length + answer(false).length);
    t.equal(stored?.rowCount, 1);
  }
  t.end();
});

t.test('flags of the statement stay, those of its run do not', (t) => {
  const flags = AUTOCOMMIT | StatusFlag.SERVER_QUERY_NO_INDEX_USED | StatusFlag.SERVER_STATUS_ANSI_QUOTES;
  const stored = StoredResult.of(answer(true, flags | StatusFlag.SERVER_QUERY_WAS_SLOW), true);
  t.equal(stored?.statusFlags, flags);
  t.ok(stored?.bytesFor(true).equals(answer(true, flags)));
  t.end();
});

t.test("what is one session's is nobody else's", (t) => {
  for (const flag of [
    StatusFlag.SERVER_STATUS_IN_TRANS,
    StatusFlag.SERVER_STATUS_IN_TRANS_READONLY,
    StatusFlag.SERVER_STATUS_METADATA_CHANGED,
    StatusFlag.SERVER_MORE_RESULTS_EXISTS,
  ])
    t.equal(StoredResult.of(answer(true, AUTOCOMMIT | flag), true), null, `flag ${flag}`);
  t.equal(StoredResult.of(answer(true, 0), true), null, 'without autocommit');
  t.equal(StoredResult.of(answer(true, AUTOCOMMIT, 1), true), null, 'with a warning');
  t.end();
});

t.test('the bytes are copied out of the read buffer', (t) => {
  const buffer = Buffer.from(answer(true));
  const stored = StoredResult.of(buffer, true);
  buffer.fill(0);
  t.ok(stored?.bytesFor(true).equals(answer(true)));
  const capture = new ResultCapture(1000);
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
  const exact = new ResultCapture(20);
  exact.passed(chunk.subarray(0, 10));
  exact.passed(chunk.subarray(0, 10));
  t.equal(exact.isTooLarge, false);
  t.equal(exact.take()?.length, 20);
  const over = new ResultCapture(19);
  over.passed(chunk.subarray(0, 10));
  over.passed(chunk.subarray(0, 10));
  over.passed(chunk.subarray(0, 1));
  t.equal(over.isTooLarge, true);
  t.equal(over.take(), null);
  t.end();
});
