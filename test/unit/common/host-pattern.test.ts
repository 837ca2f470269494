/** Which clients a host pattern is for, and which of two patterns is looked at first. */

import t from 'tap';
import {
  type ClientHost,
  clientHostOf,
  compareHosts,
  hostMatches,
  hostText,
  maskBitsOf,
  type PatternOrder,
} from '../../../src/common/host-pattern.ts';

const at = (address: string): ClientHost => ({ name: null, address });
const local: ClientHost = { name: 'localhost', address: '127.0.0.1' };
const unix: ClientHost = { name: 'localhost', address: null };

const CASES: readonly (readonly [pattern: string, client: ClientHost, matches: boolean])[] = [
  ['%', at('10.1.2.3'), true],
  ['', at('10.1.2.3'), true],
  ['%', unix, true],
  ['10.1.2.3', at('10.1.2.3'), true],
  ['10.1.2.3', at('10.1.2.30'), false],
  ['10.1.2.%', at('10.1.2.30'), true],
  ['10.1.2.%', at('10.1.20.3'), false],
  ['10.1.2._', at('10.1.2.3'), true],
  ['10.1.2._', at('10.1.2.30'), false],
  ['10.%.3', at('10.1.2.3'), true],
  ['%.3', at('10.3.3.3'), true],
  ['%%3', at('10.3.3.3'), true],
  ['10.1.2.3%', at('10.1.2.3'), true],
  ['\\%', at('10.1.2.3'), false],
  ['local\\_host', { name: 'local_host', address: null }, true],
  ['local\\_host', { name: 'localxhost', address: null }, false],
  ['192.168.1.0/255.255.255.0', at('192.168.1.77'), true],
  ['192.168.1.0/255.255.255.0', at('192.168.2.77'), false],
  ['192.168.1.7/255.255.255.0', at('192.168.1.7'), false],
  ['192.168.1.0/255.255.255.0', at('::1'), false],
  ['192.168.1.0/255.255.255.0', unix, false],
  ['128.0.0.0/128.0.0.0', at('200.1.2.3'), true],
  ['0.0.0.0/0.0.0.0', at('200.1.2.3'), true],
  ['10.0.0.0/8', at('10.200.1.1'), true],
  ['10.0.0.0/8', at('11.0.0.1'), false],
  ['10.0.0.0/33', at('10.0.0.0'), false],
  ['2001:db8::/32', at('2001:db8:1::5'), true],
  ['2001:db8::/32', at('2001:db9::5'), false],
  ['2001:db8:%', at('2001:db8::5'), true],
  ['::1', at('::1'), true],
  ['fe80::_', at('fe80::a'), true],
  ['localhost', local, true],
  ['LOCALHOST', local, true],
  ['local%', local, true],
  ['127.0.0.1', local, true],
  ['127.0.0.1', unix, false],
  ['localhost', unix, true],
  ['localhost', at('127.0.0.1'), false],
  ['shop.example', at('10.1.2.3'), false],
  ['', unix, true],
];

t.test('patterns', async (t) => {
  for (const [pattern, client, matches] of CASES) {
    t.equal(hostMatches(pattern, client), matches, `${pattern} for ${JSON.stringify(client)}`);
  }
});

t.test('a long row of wildcards costs no more than its length', async (t) => {
  t.notOk(hostMatches(`${'%a'.repeat(5000)}b`, at('a'.repeat(5000))));
});

t.test('where a client comes from', async (t) => {
  t.strictSame(clientHostOf('', false), unix, 'a Unix socket');
  t.strictSame(clientHostOf('::ffff:10.0.0.7', false), at('10.0.0.7'));
  t.strictSame(clientHostOf('127.0.0.1', false), at('127.0.0.1'), 'skip_name_resolve');
  t.strictSame(clientHostOf('127.0.0.1', true), local);
  t.strictSame(clientHostOf('::1', true), { name: 'localhost', address: '::1' });
  t.strictSame(clientHostOf('10.127.0.1', true), at('10.127.0.1'));
  t.equal(hostText(local), 'localhost');
  t.equal(hostText(at('::1')), '::1');
});

t.test('the most specific first', async (t) => {
  const patterns = ['%', '10.%', 'app-host', '10.0.0.%', '', '%.example', '_', '10.0.0.0/255.0.0.0'];
  const sorted = (order: PatternOrder) => patterns.toSorted((a, b) => compareHosts(a, b, order));
  t.strictSame(sorted('mysql'), [
    'app-host',
    '10.0.0.0/255.0.0.0',
    '10.0.0.%',
    '10.%',
    '%.example',
    '_',
    '%',
    '',
  ]);
  t.strictSame(sorted('mariadb'), [
    'app-host',
    '10.0.0.0/255.0.0.0',
    '_',
    '%.example',
    '10.0.0.%',
    '10.%',
    '%',
    '',
  ]);
  t.equal(compareHosts('a\\%b', 'ab', 'mysql'), 0, 'an escaped wildcard is none');
  t.equal(compareHosts('a\\%b', 'ab', 'mariadb'), 0);
  t.ok(compareHosts('_27.0.0.1', '127.0.0.%', 'mariadb') < 0, 'fewer texts match');
  t.ok(compareHosts('_27.0.0.1', '127.0.0.%', 'mysql') > 0, 'its wildcard stands earlier');
  t.equal(maskBitsOf('10.0.0.0/255.255.0.0'), 16);
  t.equal(maskBitsOf('10.0.0.0/24'), 24);
  t.equal(maskBitsOf('10.0.0.1'), 128);
});
