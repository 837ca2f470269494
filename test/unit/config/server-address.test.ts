import t from 'tap';
import { formatAddress, parseServerAddress } from '../../../config/server-address.ts';

t.test('what is an address', async (t) => {
  const good: readonly [string, string, number][] = [
    ['db', 'db', 3306],
    ['db:1', 'db', 1],
    ['DB.Example.com:65535', 'db.example.com', 65_535],
    ['my_db-1.internal.', 'my_db-1.internal.', 3306],
    ['10.0.0.5:3306', '10.0.0.5', 3306],
    ['::1', '::1', 3306],
    ['[::1]', '::1', 3306],
    ['[2001:DB8::1]:3307', '2001:db8::1', 3307],
  ];
  for (const [text, host, port] of good)
    t.strictSame(parseServerAddress(text), { ok: true, host, port }, text);
});

t.test('what is none', async (t) => {
  const bad = [
    '',
    ':3306',
    'db:',
    'db:0',
    'db:65536',
    'db:3306x',
    'db: 3306',
    'db:+1',
    'db:1:2',
    '1.2.3.4.5',
    '1.2.3',
    '[db]:3306',
    '[::1',
    '[::1]x',
    'db 1',
    '-db',
    'user@db',
    'tcp://db',
    `${'a'.repeat(64)}.com`,
  ];
  for (const text of bad) t.equal(parseServerAddress(text).ok, false, JSON.stringify(text));
});

t.test('formatting puts IPv6 in brackets', async (t) => {
  t.equal(formatAddress('::1', 3306), '[::1]:3306');
  t.equal(formatAddress('db', 3306), 'db:3306');
});
