/** Rows of 16 MiB and more come in several frames; only the first one says what the packet is. */

import t from 'tap';
import { AnswerShape, encodeTextRow, framePacket, MAX_FRAGMENT_BYTES } from '../../../protocol/index.ts';
import {
  type Answer,
  CAPABILITY_SETS,
  encodeAnswer,
  nameOfCapabilities,
  pass,
  TrackerRig,
} from './tracked-answer.ts';

const AUTOCOMMIT = 2;
const READ_BYTES = 64 * 1024;
const [old, modern] = CAPABILITY_SETS as [number, number];

/** A text row of one column whose payload has exactly so many bytes, and this byte where the next frame begins. */
function row(payloadBytes: number, atNextFrame: number): Buffer {
  const length = payloadBytes >= 0x1000000 + 9 ? payloadBytes - 9 : payloadBytes - 4;
  const value = Buffer.alloc(length, 'x');
  const payload = encodeTextRow([value]);
  if (payload.length > MAX_FRAGMENT_BYTES) payload[MAX_FRAGMENT_BYTES] = atNextFrame;
  return payload;
}

function answerOf(rows: readonly Buffer[]): Answer {
  const status = AUTOCOMMIT;
  return {
    shape: AnswerShape.query,
    parts: [{ kind: 'rows', columns: 1, rows, status, statusBefore: status }],
  };
}

const SMALL = encodeTextRow([Buffer.from('small')]);
const CASES: Readonly<Record<string, readonly Buffer[]>> = {
  'just below one frame': [row(MAX_FRAGMENT_BYTES - 1, 0), SMALL],
  'exactly one frame, so that an empty one follows': [row(MAX_FRAGMENT_BYTES, 0), SMALL],
  'a continuation that looks like an EOF': [row(MAX_FRAGMENT_BYTES + 25, 0xfe), SMALL],
  'a continuation that looks like an ERR': [row(MAX_FRAGMENT_BYTES + 25, 0xff), SMALL],
  'a continuation that looks like an OK': [row(MAX_FRAGMENT_BYTES + 25, 0x00), SMALL],
  'a value of three frames': [row(2 * MAX_FRAGMENT_BYTES + 25, 0xfe)],
};

for (const [name, rows] of Object.entries(CASES)) {
  t.test(name, async (t) => {
    const answer = answerOf(rows);
    for (const [server, client] of [
      [modern, modern],
      [modern, old],
      [old, modern],
    ] as const) {
      const { bytes, tracker, left } = pass(answer, server, client, AUTOCOMMIT, { readBytes: READ_BYTES });
      const title = `${nameOfCapabilities(server)} to ${nameOfCapabilities(client)}`;
      t.match(tracker, { complete: true, rowCount: rows.length, errno: 0 }, title);
      t.equal(left, 0);
      t.ok(bytes.equals(encodeAnswer(answer, client)), `${title}: the bytes of ${bytes.length}`);
    }
  });
}

t.test('a text row that begins with the length of a long value is no EOF', async (t) => {
  const [long] = CASES['a continuation that looks like an EOF']!;
  t.equal(long![0], 0xfe);
  const binary = Buffer.alloc(MAX_FRAGMENT_BYTES + 3);
  binary[MAX_FRAGMENT_BYTES] = 0xff;
  const { tracker } = pass(answerOf([long!, binary]), modern, modern, AUTOCOMMIT, { readBytes: READ_BYTES });
  t.match(tracker, { complete: true, rowCount: 2, errno: 0 });
});

t.test('a binlog event of several frames', async (t) => {
  const event = Buffer.alloc(MAX_FRAGMENT_BYTES + 10);
  event[MAX_FRAGMENT_BYTES] = 0xfe;
  const error = { kind: 'err', errno: 1236, message: 'over' } as const;
  const answer: Answer = { shape: AnswerShape.stream, events: [event, Buffer.from([0, 1])], error };
  const { bytes, tracker } = pass(answer, modern, old, AUTOCOMMIT, { readBytes: READ_BYTES });
  t.match(tracker, { complete: true, errno: 1236 });
  t.ok(bytes.equals(encodeAnswer(answer, old)));
});

t.test('the frames of an answer to a command of several frames count on from it', async (t) => {
  const rig = new TrackerRig(modern);
  rig.tracker.begin(AnswerShape.query, rig.sink, modern, AUTOCOMMIT, 3);
  rig.read(framePacket(Buffer.from('00000002000000', 'hex'), 3));
  t.ok(rig.tracker.complete);
});
