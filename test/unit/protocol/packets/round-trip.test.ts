/** What is written is what is read; what is cut off anywhere is refused, or is another value, but never an accident. */

import t from 'tap';
import { MalformedPacketError } from '../../../../protocol/index.ts';
import { samples } from './samples.ts';

const UNDEFINED = '<undefined>';

/** Connection attributes have no prototype, so that no key of a client means anything. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

t.test('every sample comes back as it was', async (t) => {
  for (const { name, value, encoded, decode } of samples) {
    t.strictSame(plain(decode(encoded)), plain(value), name);
    const inside = Buffer.concat([Buffer.alloc(7, 0xee), encoded, Buffer.alloc(64, 0xee)]);
    t.strictSame(
      plain(decode(inside.subarray(7, 7 + encoded.length))),
      plain(value),
      `${name}, inside a chunk`,
    );
  }
});

t.test('a packet cut at any length', async (t) => {
  for (const { name, encoded, decode, value } of samples) {
    const whole = JSON.stringify(plain(value), replacer);
    const wrong: string[] = [];
    let refused = 0;
    for (let length = 0; length < encoded.length; length += 1) {
      try {
        const decoded = JSON.stringify(plain(decode(encoded.subarray(0, length))), replacer);
        // Some peers forget the NUL of a packet's last string: that alone may be missing.
        const lacksLastNul = length === encoded.length - 1 && encoded.at(-1) === 0;
        if (decoded === whole && !lacksLastNul) wrong.push(`${length} bytes look whole`);
        if (decoded.includes(UNDEFINED) && !whole.includes(UNDEFINED)) wrong.push(`undefined at ${length}`);
      } catch (error) {
        refused += 1;
        if (!(error instanceof MalformedPacketError)) wrong.push(`${length} bytes: ${error}`);
        else if (error.offset > length) wrong.push(`${length} bytes: offset ${error.offset}`);
      }
    }
    t.strictSame(wrong, [], `${name}: ${refused} of ${encoded.length} lengths refused`);
  }
});

function replacer(key: string, value: unknown): unknown {
  // The one field that may be absent: only COM_FIELD_LIST's definitions have it.
  if (value === undefined) return key === 'defaultValue' ? 'absent' : UNDEFINED;
  return typeof value === 'bigint' ? `${value}n` : value;
}
