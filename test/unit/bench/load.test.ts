import t from 'tap';
import { Latencies } from '../../../bench/e2e/load/latencies.ts';
import { queryPacket } from '../../../bench/e2e/load/load-connection.ts';
import { neverSeenStatement } from '../../../bench/e2e/load/load-jobs.ts';
import { ResultScanner } from '../../../bench/e2e/load/result-scanner.ts';
import { framePacket } from '../../../protocol/index.ts';

const FRAGMENT = 0xff_ffff;
const packet = (sequenceId: number, ...bytes: number[]) => framePacket(Buffer.from(bytes), sequenceId);

const RESULT = Buffer.concat([
  packet(1, 2),
  packet(2, 3, 0x64, 0x65, 0x66),
  packet(3, 3, 0x64, 0x65, 0x66),
  packet(4, 1, 0x61, 1, 0x62),
  // A NULL first, and a row whose first byte is a length of 2^24 or more, are rows all the same.
  packet(5, 0xfb, 0xfb),
  packet(6, 0xfe, 0, 0, 2, 0, 0, 0),
]);
const OK = packet(1, 0, 0, 0, 2, 0, 0, 0);
const ERR = framePacket(Buffer.concat([Buffer.from([0xff, 0x7a, 0x04]), Buffer.from('#42S02Table gone')]), 1);

t.test('a result set, whole and byte by byte', async (t) => {
  for (const step of [RESULT.length, 1, 3, 7]) {
    const scanner = new ResultScanner();
    for (let at = 0; at < RESULT.length; at += step) {
      const end = Math.min(at + step, RESULT.length);
      t.equal(scanner.feed(RESULT.subarray(at, end)), end === RESULT.length);
    }
    t.equal(scanner.rows, 2);
    t.equal(scanner.error, null);
  }
});

t.test('OK and ERR, one after the other on one scanner', async (t) => {
  const scanner = new ResultScanner();
  t.equal(scanner.feed(OK), true);
  scanner.reset();
  t.equal(scanner.feed(ERR.subarray(0, 10)), false);
  t.equal(scanner.feed(ERR.subarray(10)), true);
  t.match(scanner.error?.message, 'error 1146: Table gone');
  scanner.reset();
  t.equal(scanner.feed(RESULT), true);
  t.equal(scanner.error, null);
});

t.test('an ERR in the middle of the rows ends the answer', async (t) => {
  const scanner = new ResultScanner();
  t.equal(scanner.feed(RESULT.subarray(0, -11)), false);
  t.equal(scanner.feed(ERR), true);
  t.ok(scanner.error);
});

t.test('bytes behind the end are an error', async (t) => {
  const scanner = new ResultScanner();
  t.throws(() => scanner.feed(Buffer.concat([OK, OK])), /after the end/);
});

t.test('a row over 16 MiB: what begins its second fragment is not looked at', async (t) => {
  const row = Buffer.alloc(FRAGMENT + 10, 0xfe);
  const scanner = new ResultScanner();
  const head = Buffer.concat([packet(1, 1), packet(2, 3)]);
  t.equal(scanner.feed(Buffer.concat([head, framePacket(row, 3)])), false);
  t.equal(scanner.feed(packet(5, 0xfe, 0, 0, 2, 0, 0, 0)), true);
  t.equal(scanner.rows, 1);
});

t.test('exact percentiles, also after growing', async (t) => {
  const latencies = new Latencies();
  t.same(latencies.summary(), { count: 0, averageMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
  for (let value = 5000; value >= 1; value--) latencies.add(value);
  t.same(latencies.summary(), {
    count: 5000,
    averageMs: 2500.5,
    p50Ms: 2500,
    p95Ms: 4750,
    p99Ms: 4950,
    maxMs: 5000,
  });
});

t.test('statements of the flood differ when their literals are taken out', async (t) => {
  const digests = new Set<string>();
  for (let number = 0; number < 3000; number++) {
    digests.add(neverSeenStatement(number, 100).replaceAll(/\b\d+\b/g, '?'));
  }
  t.equal(digests.size, 3000);
});

t.test('a COM_QUERY packet', async (t) => {
  t.same(queryPacket('SELECT 1'), Buffer.from('\x09\x00\x00\x00\x03SELECT 1', 'latin1'));
});
