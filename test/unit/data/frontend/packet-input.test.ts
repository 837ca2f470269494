import fc from 'fast-check';
import t from 'tap';
import { framePacket, MAX_FRAGMENT_BYTES, PacketOutOfOrderError } from '../../../../protocol/index.ts';
import { type PacketConsumer, PacketInput } from '../../../../src/data/frontend/packet-input.ts';

const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
t.comment(`seed ${seed}`);

interface Received {
  readonly payload: Buffer;
  readonly sequenceId: number;
  readonly joined: boolean;
}

/** Takes packets while it has `credit`. */
class Consumer implements PacketConsumer {
  readonly received: Received[] = [];
  readonly tooLarge: number[] = [];
  credit = Number.POSITIVE_INFINITY;
  onPacket: () => void = () => undefined;

  acceptsPacket(): boolean {
    return this.credit > 0;
  }

  packet(buffer: Buffer, start: number, end: number, sequenceId: number, joined: boolean): void {
    this.credit--;
    if (!joined && buffer.readUIntLE(start - 4, 3) !== end - start) throw new Error('no header in front');
    this.received.push({ payload: Buffer.from(buffer.subarray(start, end)), sequenceId, joined });
    this.onPacket();
  }

  packetTooLarge(sequenceId: number): void {
    this.tooLarge.push(sequenceId);
  }

  get texts(): string[] {
    return this.received.map(({ payload }) => payload.toString());
  }
}

const LIMIT = 64 << 20;

/** Pushes through one buffer that is used again for each chunk, as the sockets do. */
function feed(input: PacketInput, bytes: Buffer, cut: () => number): void {
  const shared = Buffer.alloc(64 * 1024);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, shared.length, Math.max(1, cut()));
    bytes.copy(shared, 0, at, at + length);
    input.push(shared, length);
    shared.fill(0xee);
    at += length;
  }
}

const whole = () => 1 << 30;
const three = Buffer.concat(['one', '', 'three'].map((text) => framePacket(Buffer.from(text), 0)));

t.test('several packets in one chunk, or a byte at a time', async (t) => {
  for (const cut of [whole, () => 1, () => 3, () => 5]) {
    const consumer = new Consumer();
    const input = new PacketInput(consumer, LIMIT);
    feed(input, three, cut);
    t.same(consumer.texts, ['one', '', 'three']);
    t.equal(input.waitingBytes, 0);
  }
});

t.test('while the consumer is busy packets wait, in order, one for each time it is free', async (t) => {
  const consumer = new Consumer();
  consumer.credit = 1;
  const input = new PacketInput(consumer, LIMIT);
  feed(input, three, whole);
  t.same(consumer.texts, ['one']);
  t.equal(input.waitingBytes, three.length - 7);
  feed(input, framePacket(Buffer.from('four'), 0), () => 2);
  for (const want of ['', 'three', 'four']) {
    consumer.credit = 1;
    input.resume();
    t.equal(consumer.texts.at(-1), want);
  }
  t.equal(input.waitingBytes, 0);
  input.resume();
  t.equal(consumer.received.length, 4);
});

t.test('a consumer that is free again before it returns gets the next one, without recursion', async (t) => {
  const consumer = new Consumer();
  consumer.credit = 1;
  const input = new PacketInput(consumer, LIMIT);
  let depth = 0;
  consumer.onPacket = () => {
    depth++;
    if (depth > 1) throw new Error('recursion');
    consumer.credit = 1;
    input.resume();
    depth--;
  };
  feed(input, Buffer.concat(Array.from({ length: 5000 }, () => three)), () => 4096);
  t.equal(consumer.received.length, 15_000);
});

t.test('a client that sends ahead of a busy consumer is to be paused at 64 KiB', async (t) => {
  const consumer = new Consumer();
  consumer.credit = 0;
  const input = new PacketInput(consumer, LIMIT);
  const packet = framePacket(Buffer.alloc(1020), 0);
  for (let count = 1; count <= 64; count++) input.push(packet, packet.length);
  t.equal(input.waitingBytes, 64 * 1024);
  t.notOk(input.wantsPause);
  input.push(packet, packet.length);
  t.ok(input.wantsPause);
  consumer.credit = Number.POSITIVE_INFINITY;
  t.notOk(input.wantsPause, 'a free consumer takes them');
  input.resume();
  t.equal(consumer.received.length, 65);
});

t.test('a long packet that is on its way does not pause its client', async (t) => {
  const consumer = new Consumer();
  const input = new PacketInput(consumer, LIMIT);
  const packet = framePacket(Buffer.alloc(1 << 20), 0);
  feed(input, packet.subarray(0, -1), whole);
  t.notOk(input.wantsPause);
  feed(input, packet.subarray(-1), whole);
  t.equal(consumer.received[0]?.payload.length, 1 << 20);
});

t.test('sizes around one frame', async (t) => {
  for (const bytes of [
    MAX_FRAGMENT_BYTES - 2,
    MAX_FRAGMENT_BYTES - 1,
    MAX_FRAGMENT_BYTES,
    MAX_FRAGMENT_BYTES + 1,
    2 * MAX_FRAGMENT_BYTES + 7,
  ]) {
    const consumer = new Consumer();
    const input = new PacketInput(consumer, LIMIT);
    const payload = Buffer.alloc(bytes, 'x');
    payload[bytes - 1] = 1;
    feed(input, Buffer.concat([framePacket(payload, 0), framePacket(Buffer.from('after'), 0)]), whole);
    t.equal(consumer.received.length, 2, `${bytes} bytes`);
    const [first, second] = consumer.received;
    t.ok(first?.payload.equals(payload));
    t.equal(first?.joined, bytes >= MAX_FRAGMENT_BYTES);
    t.equal(first?.sequenceId, Math.floor(bytes / MAX_FRAGMENT_BYTES));
    t.equal(second?.payload.toString(), 'after');
    t.equal(input.waitingBytes, 0);
  }
});

t.test('a long packet costs copying in proportion to its length', async (t) => {
  // It was copied whole for each chunk: 16 MiB in chunks of 1 KiB took minutes.
  const consumer = new Consumer();
  const input = new PacketInput(consumer, LIMIT);
  const packet = framePacket(Buffer.alloc(MAX_FRAGMENT_BYTES - 1), 0);
  const before = process.cpuUsage();
  feed(input, packet, () => 1024);
  const { user, system } = process.cpuUsage(before);
  t.equal(consumer.received.length, 1);
  t.ok(user + system < 2_000_000, `${user + system} µs`);
});

t.test('frames of a long packet must count on', async (t) => {
  const payload = Buffer.alloc(MAX_FRAGMENT_BYTES + 3);
  for (const id of [0, 2, 255]) {
    const packet = framePacket(payload, 0);
    packet[4 + MAX_FRAGMENT_BYTES + 3] = id;
    const input = new PacketInput(new Consumer(), LIMIT);
    t.throws(() => feed(input, packet, whole), PacketOutOfOrderError);
  }
});

t.test('more than the limit is refused as soon as it is announced', async (t) => {
  const consumer = new Consumer();
  const input = new PacketInput(consumer, 1000);
  feed(input, framePacket(Buffer.alloc(1000), 0), whole);
  t.same(consumer.tooLarge, []);
  feed(input, Buffer.from('e9030007', 'hex'), whole);
  t.same(consumer.tooLarge, [7]);
  t.equal(consumer.received.length, 1);

  const joined = new Consumer();
  const longer = new PacketInput(joined, MAX_FRAGMENT_BYTES + 10);
  feed(
    longer,
    framePacket(Buffer.alloc(MAX_FRAGMENT_BYTES + 11), 0).subarray(0, MAX_FRAGMENT_BYTES + 8),
    whole,
  );
  t.same(joined.tooLarge, [1], 'frames are added up');
});

t.test('takeWaiting gives what was not handed on', async (t) => {
  const consumer = new Consumer();
  consumer.credit = 1;
  const input = new PacketInput(consumer, LIMIT);
  t.equal(input.takeWaiting().length, 0);
  feed(input, three, whole);
  t.equal(input.takeWaiting().toString('hex'), three.subarray(7).toString('hex'));
  t.equal(input.waitingBytes, 0);
});

t.test('any packets, cuts and pauses: the same packets come out', async () => {
  const packets = fc.array(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      packets,
      fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
      fc.infiniteStream(fc.nat({ max: 3 })),
      (payloads, cuts, credits) => {
        const consumer = new Consumer();
        consumer.credit = 0;
        const input = new PacketInput(consumer, LIMIT);
        const bytes = Buffer.concat(payloads.map((payload, index) => framePacket(payload, index & 0xff)));
        for (let at = 0; at < bytes.length; ) {
          const length = Math.min(bytes.length - at, cuts.next().value!);
          feed(input, bytes.subarray(at, at + length), whole);
          at += length;
          consumer.credit = credits.next().value!;
          input.resume();
        }
        consumer.credit = Number.POSITIVE_INFINITY;
        input.resume();
        if (input.waitingBytes !== 0) return false;
        return (
          consumer.received.length === payloads.length &&
          consumer.received.every(
            ({ payload, sequenceId }, index) =>
              payload.equals(payloads[index]!) && sequenceId === (index & 0xff),
          )
        );
      },
    ),
    { seed, numRuns: 300 },
  );
});
