/** The rows of SHOW STATUS that are about TLS take the values of the client's connection. */

import t from 'tap';
import { decodeTextRow, encodeTextRow, framePacket, PacketReader } from '../../../../protocol/index.ts';
import { mayShowTlsStatus, rewriteTlsStatus, tlsStatusOf } from '../../../../src/data/frontend/tls-status.ts';

const TLS = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  isReused: true,
  verifyMode: 1,
  validFrom: 'Nov 21 04:37:26 2026 GMT',
  validTo: 'Nov 23 04:37:26 2026 GMT',
};

function frames(payloads: readonly Buffer[]): Buffer {
  return Buffer.concat(payloads.map((payload, index) => framePacket(payload, (index + 1) & 0xff)));
}

function payloadsOf(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  new PacketReader((payload) => payloads.push(Buffer.from(payload)), 1 << 20).push(bytes);
  return payloads;
}

const END = Buffer.from([0xfe, 0, 0, 2, 0]);

t.test('rows are found by their names', async (t) => {
  const rows = [
    ['Ssl_accepts', '17'],
    ['Ssl_cipher', ''],
    ['Ssl_cipher_list', 'a:'.repeat(300)],
    ['Ssl_server_not_after', 'never'],
    ['Ssl_sessions_reused', '0'],
    ['Ssl_version', 'TLSv1.2'],
    ['Uptime', '5'],
  ];
  const answer = frames([Buffer.from([2]), ...rows.map((row) => encodeTextRow(row)), END]);
  const show = (bytes: Buffer): unknown[] =>
    payloadsOf(bytes)
      .slice(1, -1)
      .map((row) => decodeTextRow(row, 2).map(String));
  const secured = rewriteTlsStatus(answer, tlsStatusOf(TLS, 'mysql'), false);
  t.strictSame(show(secured), [
    ['Ssl_accepts', '17'],
    ['Ssl_cipher', TLS.cipher],
    ['Ssl_cipher_list', 'a:'.repeat(300)],
    ['Ssl_server_not_after', TLS.validTo],
    ['Ssl_sessions_reused', '1'],
    ['Ssl_version', 'TLSv1.3'],
    ['Uptime', '5'],
  ]);
  t.same(payloadsOf(secured).at(-1), END);
  const plain = rewriteTlsStatus(answer, tlsStatusOf(null, 'mysql'), false);
  t.same(show(plain)[2], ['Ssl_cipher_list', ''], 'a long value goes as a whole');
  t.same(show(plain)[3], ['Ssl_server_not_after', 'never'], 'MySQL tells it to plain clients as well');
  t.same(show(plain)[5], ['Ssl_version', '']);
  t.same(show(rewriteTlsStatus(answer, tlsStatusOf(null, 'mariadb'), false))[3], [
    'Ssl_server_not_after',
    '',
  ]);
});

t.test('sequence ids stay, over 255 packets too', async (t) => {
  const rows = Array.from({ length: 600 }, (_, index) => [
    index === 400 ? 'Ssl_version' : `Other_${index}`,
    'x',
  ]);
  const answer = frames([Buffer.from([2]), ...rows.map((row) => encodeTextRow(row)), END]);
  const expected = rows.map(([name, value]) => [name, name === 'Ssl_version' ? 'TLSv1.3' : value]);
  const rewritten = rewriteTlsStatus(answer, tlsStatusOf(TLS, 'mariadb'), false);
  t.same(
    rewritten,
    frames([Buffer.from([2]), ...expected.map((row) => encodeTextRow(row as string[])), END]),
  );
});

t.test('binary rows', async (t) => {
  const row = (value: string): Buffer =>
    Buffer.concat([
      Buffer.from([0, 0, 10]),
      Buffer.from('Ssl_cipher'),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);
  const answer = frames([Buffer.from([2]), row('x'), END]);
  const secured = rewriteTlsStatus(answer, tlsStatusOf(TLS, 'mariadb'), true);
  t.same(secured, frames([Buffer.from([2]), row(TLS.cipher), END]));
});

t.test('whatever else comes stays, cut off or not', async (t) => {
  const status = tlsStatusOf(TLS, 'mariadb');
  const error = frames([Buffer.concat([Buffer.from([0xff, 0x28, 0x04]), Buffer.from('#42000Ssl_cipher')])]);
  t.equal(rewriteTlsStatus(error, status, false), error);
  const answer = frames([Buffer.from([2]), encodeTextRow(['Ssl_cipher', 'abc']), Buffer.alloc(0), END]);
  for (let length = 0; length < answer.length; length++) {
    for (const isBinary of [false, true]) {
      t.doesNotThrow(() => rewriteTlsStatus(answer.subarray(0, length), status, isBinary));
    }
  }
});

t.test('which patterns leave TLS out for certain', async (t) => {
  for (const sql of [
    'SHOW STATUS',
    "SHOW STATUS LIKE 'Ssl_cipher'",
    "show  session\nstatus like 'SSL%'",
    'SHOW LOCAL STATUS LIKE "ss%"',
    "SHOW STATUS LIKE '%'",
    "SHOW STATUS LIKE '_sl%'",
    "SHOW STATUS LIKE 'S' 'sl_version'",
    "SHOW STATUS /* LIKE 'x' */ LIKE 'Ssl_version'",
    "SHOW STATUS LIKE /* */ 'Ssl_version'",
    "SHOW STATUS WHERE Variable_name LIKE 'Threads%' OR Variable_name = 'Ssl_version'",
  ]) {
    t.ok(mayShowTlsStatus(Buffer.from(sql), 0, sql.length), sql);
  }
  for (const sql of [
    "SHOW STATUS LIKE 'Threads%'",
    "show session status like 'Sort%'",
    "SHOW STATUS LIKE 'Com_select'",
  ]) {
    t.notOk(mayShowTlsStatus(Buffer.from(sql), 0, sql.length), sql);
  }
});
