import t from 'tap';
import { HEADROOM_BYTES, RetainingReadBuffer } from '../../../../src/data/io/retaining-read-buffer.ts';

/** As the kernel does. */
function receive(input: RetainingReadBuffer, text: string): number {
  return input.received(input.view.write(text, 'latin1'));
}

function unread(input: RetainingReadBuffer, end: number): string {
  return input.buffer.toString('latin1', input.start, end);
}

t.test('there is always room in front, and the whole capacity behind', async (t) => {
  const input = new RetainingReadBuffer(100);
  t.equal(input.start, HEADROOM_BYTES);
  t.equal(input.view.length, 100);
  t.equal(input.takeChangedView(), null, 'the first view is the view');
});

t.test('what is not consumed lies in front of the next read', async (t) => {
  const input = new RetainingReadBuffer(100);
  const first = receive(input, 'abcdef');
  t.equal(unread(input, first), 'abcdef');
  input.settle(input.start + 4, first, false);
  t.equal(input.takeChangedView(), input.view);
  t.equal(input.takeChangedView(), null, 'told once');
  const second = receive(input, 'ghi');
  t.equal(input.start, HEADROOM_BYTES);
  t.equal(unread(input, second), 'efghi');
  input.settle(second, second, false);
  t.equal(input.view.length, 100);
  t.equal(unread(input, receive(input, 'x')), 'x');
});

t.test('a read that is consumed whole changes nothing', async (t) => {
  const input = new RetainingReadBuffer(100);
  const end = receive(input, 'abc');
  const { buffer, view } = input;
  input.settle(end, end, false);
  t.equal(input.buffer, buffer);
  t.equal(input.view, view);
  t.equal(input.takeChangedView(), null);
});

t.test('a buffer that somebody still refers to is left to them, untouched', async (t) => {
  const input = new RetainingReadBuffer(100);
  const end = receive(input, 'sent, not taken yet|rest');
  const { buffer } = input;
  const sent = buffer.subarray(input.start, input.start + 20);
  input.settle(input.start + 20, end, true);
  t.not(input.buffer, buffer);
  t.ok(input.takeChangedView());
  t.equal(unread(input, receive(input, 'X'.repeat(96))), `rest${'X'.repeat(96)}`);
  t.equal(sent.toString(), 'sent, not taken yet|');
});

t.test('more kept than half of it: it grows, so that the next read has room', async (t) => {
  const input = new RetainingReadBuffer(100);
  const end = receive(input, 'k'.repeat(51));
  input.settle(input.start, end, false);
  t.equal(input.buffer.length, HEADROOM_BYTES + 200);
  t.equal(input.view.length, 149);
  t.equal(unread(input, receive(input, 'n')), `${'k'.repeat(51)}n`);
});

t.test('it does not grow without limit', async (t) => {
  const input = new RetainingReadBuffer(4 << 20);
  const end = input.received(input.view.length);
  input.settle(input.start, end, false);
  t.equal(input.buffer.length, HEADROOM_BYTES + (8 << 20));
  const full = input.received(input.view.length);
  t.throws(() => input.settle(input.start, full, false), RangeError);
});
