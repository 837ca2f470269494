/** Servers that do not behave, and the parts of the exchange that our own server side does not have. */

import t from 'tap';
import {
  Capability,
  ClientHandshake,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeErr,
  encodeHandshakeV10,
  encodeOk,
  IllegalTransitionError,
  withoutCapabilities,
} from '../../../../protocol/index.ts';
import { CAPABILITIES, clientOptions } from './conversation.ts';

const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRST');

function greeting(overrides: Partial<Parameters<typeof encodeHandshakeV10>[0]> = {}): Buffer {
  return encodeHandshakeV10({
    serverVersion: '8.0.40',
    threadId: 1,
    authPluginData: nonce,
    capabilities: CAPABILITIES,
    mariadbCapabilities: 0,
    collationId: 255,
    statusFlags: 2,
    authPluginName: 'mysql_native_password',
    ...overrides,
  });
}

function greeted(
  overrides: Parameters<typeof clientOptions>[0] = {},
  plugin = 'mysql_native_password',
): ClientHandshake {
  const handshake = new ClientHandshake(clientOptions(overrides));
  handshake.receive(greeting({ authPluginName: plugin }), 0);
  return handshake;
}

const failed = (errno: number, message: RegExp) => ({
  kind: 'failed',
  errno,
  sqlState: 'HY000',
  message,
  fromServer: false,
});

t.test('an ERR in place of the greeting', async (t) => {
  const handshake = new ClientHandshake(clientOptions());
  const step = handshake.receive(
    encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' }, 0),
    0,
  );
  t.match(step, {
    kind: 'failed',
    errno: 1040,
    sqlState: 'HY000',
    message: 'Too many connections',
    fromServer: true,
  });
  t.equal(handshake.state, 'failed');
});

t.test('servers that are too old', async (t) => {
  const handshake = new ClientHandshake(clientOptions());
  const capabilities = withoutCapabilities(CAPABILITIES, Capability.CLIENT_SECURE_CONNECTION);
  t.match(handshake.receive(greeting({ capabilities }), 0), failed(2012, /20-byte challenges/));
  const version9 = Buffer.from([9, 0x34, 0]);
  t.match(new ClientHandshake(clientOptions()).receive(version9, 0), failed(2027, /protocol version/));
});

t.test('out of order', async (t) => {
  t.match(
    new ClientHandshake(clientOptions()).receive(greeting(), 1),
    failed(2027, /expected sequence id 0, received 1/),
  );
  t.match(
    greeted().receive(encodeOk({}, CAPABILITIES), 3),
    failed(2027, /expected sequence id 2, received 3/),
  );
});

t.test('packets that make no sense', async (t) => {
  t.match(new ClientHandshake(clientOptions()).receive(Buffer.alloc(0), 0), failed(2027, /Malformed packet/));
  t.match(greeted().receive(Buffer.alloc(0), 2), failed(2027, /unknown packet/));
  t.match(greeted().receive(Buffer.from([0x42]), 2), failed(2027, /unknown packet/));
  t.match(greeted().receive(Buffer.from([0x00]), 2), failed(2027, /Malformed packet/));
  t.match(
    greeted().receive(encodeAuthMoreData({ data: Buffer.from([4]) }), 2),
    failed(2061, /does not know/),
  );
  const sha2 = greeted({}, 'caching_sha2_password');
  t.match(sha2.receive(encodeAuthMoreData({ data: Buffer.from([9]) }), 2), failed(2061, /does not know/));
});

t.test('after the end', async (t) => {
  const handshake = greeted();
  t.equal(handshake.receive(encodeOk({ statusFlags: 2 }, CAPABILITIES), 2).kind, 'done');
  t.match(handshake.receive(encodeOk({}, CAPABILITIES), 3), failed(2012, /nobody expects/));
  t.match(
    handshake.receive(encodeErr({ errno: 1, sqlState: 'HY000', message: '' }, 0), 4),
    failed(2012, /nobody expects/),
  );
  t.throws(() => handshake.tlsEstablished(), IllegalTransitionError);
});

t.test('plugins', async (t) => {
  const request = (pluginName: string | null) =>
    encodeAuthSwitchRequest({ pluginName, pluginData: Buffer.alloc(21) });
  t.match(greeted().receive(request(null), 2), failed(2061, /mysql_old_password/));
  t.match(greeted().receive(request('dialog'), 2), failed(2061, /plugin 'dialog'.*not supported/));
  t.match(greeted().receive(request('mysql_clear_password'), 2), failed(2061, /secure transport only/));
  const step = greeted({ secureTransport: true }).receive(request('mysql_clear_password'), 2);
  t.equal(step.kind === 'send' && step.packets.toString('latin1'), '\x07\0\0\x03secret\0');
  const switched = greeted();
  switched.receive(
    encodeAuthSwitchRequest({
      pluginName: 'mysql_native_password',
      pluginData: Buffer.from(`${'z'.repeat(20)}\0`),
    }),
    2,
  );
  t.equal(switched.nonce.toString(), 'z'.repeat(20), 'the latest challenge, without its NUL');
});

t.test('a public key that is none', async (t) => {
  const handshake = greeted({}, 'caching_sha2_password');
  t.equal(handshake.receive(encodeAuthMoreData({ data: Buffer.from([4]) }), 2).kind, 'send');
  t.match(
    handshake.receive(encodeAuthMoreData({ data: Buffer.from('no key') }), 4),
    failed(2061, /public key/),
  );
});

t.test('an unknown default plugin: the first proof is native, and the server may switch', async (t) => {
  const handshake = new ClientHandshake(clientOptions());
  const step = handshake.receive(greeting({ authPluginName: 'authentication_ldap_sasl' }), 0);
  t.equal(step.kind, 'send');
  t.equal(handshake.authPlugin, 'mysql_native_password');
});
