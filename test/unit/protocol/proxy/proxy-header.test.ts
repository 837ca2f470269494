import t from 'tap';
import {
  crc32c,
  MalformedPacketError,
  type ProxyHeader,
  parseProxyHeader,
} from '../../../../protocol/index.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const INET = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0x17, 0x91]);
const INET6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from([0x9c, 0x40, 0x17, 0x91]),
]);

function v2(command: number, family: number, body: Buffer, claimedBytes = body.length): Buffer {
  const head = Buffer.from([command, family, claimedBytes >> 8, claimedBytes & 0xff]);
  return Buffer.concat([SIGNATURE, head, body]);
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** With a checksum over everything, at its place among other TLVs. */
function withCrc(change = 0): Buffer {
  const body = Buffer.concat([
    INET,
    tlv(0x20, Buffer.alloc(9, 1)),
    tlv(0x03, Buffer.alloc(4)),
    tlv(4, Buffer.alloc(2)),
  ]);
  const header = v2(0x21, 0x11, body);
  const at = header.length - 5 - 4;
  header.writeUInt32BE((crc32c(header) ^ change) >>> 0, at);
  return header;
}

const IPV4 = { address: '192.0.2.7', port: 40_000 };
const IPV6 = { address: '2001:db8::7', port: 40_000 };

const GOOD: readonly (readonly [string, Buffer, { address: string; port: number } | null])[] = [
  ['v1, IPv4', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000 6033\r\n'), IPV4],
  ['v1, IPv6', Buffer.from('PROXY TCP6 2001:DB8:0::7 2001:db8::1 40000 6033\r\n'), IPV6],
  ['v1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['v1, unknown with more', Buffer.from('PROXY UNKNOWN ffff::1 whatever\r\n'), null],
  [
    'v1, as long as can be',
    Buffer.from(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    { address: `${'ffff:'.repeat(7)}ffff`, port: 65_535 },
  ],
  ['v2, IPv4', v2(0x21, 0x11, INET), IPV4],
  ['v2, IPv6', v2(0x21, 0x21, INET6), IPV6],
  ['v2, Unix socket', v2(0x21, 0x31, Buffer.alloc(216)), { address: '', port: 0 }],
  ['v2, unspecified', v2(0x21, 0x00, Buffer.alloc(0)), null],
  ['v2, LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), null],
  ['v2, LOCAL with addresses', v2(0x20, 0x11, INET), null],
  ['v2, LOCAL with anything', v2(0x20, 0xff, Buffer.alloc(7, 3)), null],
  [
    'v2, TLVs',
    v2(0x21, 0x11, Buffer.concat([INET, tlv(1, Buffer.from('h2')), tlv(0xe0, Buffer.alloc(0))])),
    IPV4,
  ],
  [
    'v2, as long as can be',
    v2(0x21, 0x11, Buffer.concat([INET, tlv(0xe1, Buffer.alloc(65_535 - 15))])),
    IPV4,
  ],
  ['v2, checksum', withCrc(), IPV4],
];

t.test('headers of both versions, in one piece and byte by byte', async (t) => {
  for (const [name, header, source] of GOOD) {
    const whole: ProxyHeader = { kind: 'header', bytes: header.length, source };
    t.strictSame(parseProxyHeader(header), whole, name);
    t.strictSame(parseProxyHeader(Buffer.concat([header, Buffer.from('rest')])), whole, `${name}, and more`);
    const step = Math.max(1, Math.floor(header.length / 300));
    const early: unknown[] = [];
    for (let length = 0; length < header.length; length += length < 20 ? 1 : step)
      early.push(parseProxyHeader(header.subarray(0, length)).kind);
    t.ok(
      early.every((kind) => kind === 'incomplete'),
      `${name}, cut off anywhere`,
    );
  }
});

t.test('what only begins like one is refused', async (t) => {
  for (const [name, bytes] of [
    ['v1 without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['v1, an end too late', Buffer.from(`PROXY UNKNOWN ${' '.repeat(100)}\r\n`)],
    ['v1, unknown family', Buffer.from('PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n')],
    ['v1, no address', Buffer.from('PROXY TCP4 localhost 198.51.100.1 1 2\r\n')],
    ['v1, an address of the other family', Buffer.from('PROXY TCP4 ::1 ::2 1 2\r\n')],
    ['v1, a port too large', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n')],
    ['v1, a port that is none', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n')],
    ['v1, a field too many', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n')],
    ['v1, nothing', Buffer.from('PROXY \r\n')],
    ['v2, another version', v2(0x11, 0x11, INET)],
    ['v2, an unknown command', v2(0x22, 0x11, INET)],
    ['v2, an unknown family', v2(0x21, 0x41, INET)],
    ['v2, datagrams', v2(0x21, 0x12, INET)],
    ['v2, addresses too short', v2(0x21, 0x11, INET.subarray(1))],
    ['v2, IPv6 with room for IPv4', v2(0x21, 0x21, INET)],
    ['v2, the start of a TLV', v2(0x21, 0x11, Buffer.concat([INET, Buffer.from([1, 0])]))],
    ['v2, a TLV longer than the header', v2(0x21, 0x11, Buffer.concat([INET, Buffer.from([1, 0, 5, 0])]))],
    ['v2, a wrong checksum', withCrc(1)],
    ['v2, a checksum of the wrong length', v2(0x21, 0x11, Buffer.concat([INET, tlv(3, Buffer.alloc(3))]))],
  ] as const) {
    t.throws(() => parseProxyHeader(bytes), MalformedPacketError, name);
  }
});

t.test('what clients send first is none', async (t) => {
  for (const bytes of ['PROX', 'PROXX', '\r\n\r\n\0\r\nQUIX'].map((text) => Buffer.from(text))) {
    const kind = bytes.toString() === 'PROX' ? 'incomplete' : 'none';
    t.equal(parseProxyHeader(bytes).kind, kind, JSON.stringify(bytes.toString()));
  }
  // A packet of 0x50 ("P") bytes with sequence id 1.
  t.equal(parseProxyHeader(Buffer.from([0x50, 0, 0, 1])).kind, 'none');
  t.equal(parseProxyHeader(Buffer.from([0x0d, 0, 0, 1])).kind, 'none');
});

t.test('CRC-32C', async (t) => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe306_9283, 'the check value of its definition');
  t.equal(crc32c(Buffer.alloc(32)), 0x8a91_36aa, 'RFC 3720');
});

t.test('changed bytes give a header, a refusal or nothing, never anything else', async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  const outcomes = { header: 0, none: 0, incomplete: 0, refused: 0 };
  for (let run = 0; run < 5000; run++) {
    const bytes = Buffer.from(random.pick(GOOD)[1].subarray(0, 400));
    for (let change = random.below(4); change >= 0; change--)
      bytes[random.below(bytes.length)] = random.below(256);
    try {
      const header = parseProxyHeader(bytes);
      outcomes[header.kind]++;
      if (header.kind === 'header' && header.bytes > bytes.length) t.fail('longer than what there is');
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      outcomes.refused++;
    }
  }
  for (const [outcome, count] of Object.entries(outcomes)) t.ok(count > 0, `${outcome}: ${count}`);
});
