/** Clients that do not behave, clients that are old, and COM_CHANGE_USER. */

import t from 'tap';
import {
  Capability,
  challengeOf,
  decodeAuthSwitchRequest,
  decodeErr,
  decodeHandshakeV10,
  encodeComChangeUser,
  encodeHandshakeResponse41,
  IllegalTransitionError,
  nativeHashOf,
  nativeScramble,
  ServerHandshake,
  type ServerHandshakeStep,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../../protocol/index.ts';
import { CAPABILITIES, serverOptions } from './conversation.ts';

const options = serverOptions({
  lookup: (username) => (username === 'app' ? { password: nativeHashOf('secret') } : null),
});

function response(overrides: Partial<Parameters<typeof encodeHandshakeResponse41>[0]> = {}): Buffer {
  return encodeHandshakeResponse41(
    {
      capabilities: CAPABILITIES,
      mariadbCapabilities: 0,
      maxPacketBytes: 2 ** 24,
      collationId: 45,
      username: 'app',
      authResponse: nativeScramble('secret', options.nonce),
      database: null,
      authPluginName: 'mysql_native_password',
      connectAttributes: {},
      zstdLevel: null,
      ...overrides,
    },
    CAPABILITIES,
  );
}

function rejection(step: ServerHandshakeStep): unknown {
  if (step.kind !== 'rejected') return step;
  const { errno, sqlState, message } = step;
  return {
    errno,
    sqlState,
    message,
    sequenceId: step.packets[3],
    onWire: decodeErr(step.packets.subarray(4)).errno,
  };
}

t.test('the greeting', async (t) => {
  const framed = new ServerHandshake(options).greeting();
  t.equal(framed[3], 0);
  t.match(decodeHandshakeV10(framed.subarray(4)), {
    serverVersion: '8.0.40',
    threadId: 7,
    capabilities: CAPABILITIES,
    authPluginData: options.nonce,
    authPluginName: 'mysql_native_password',
  });
});

t.test('out of order', async (t) => {
  t.match(rejection(new ServerHandshake(options).receive(response(), 0)), {
    errno: 1156,
    sqlState: '08S01',
    message: 'Got packets out of order',
    sequenceId: 1,
    onWire: 1156,
  });
});

t.test('garbage', async (t) => {
  for (const payload of [
    Buffer.alloc(0),
    Buffer.from([1, 2, 3]),
    response().subarray(0, 40),
    Buffer.alloc(100, 0xff),
  ]) {
    t.match(rejection(new ServerHandshake(options).receive(payload, 1)), {
      errno: 1043,
      sqlState: '08S01',
      onWire: 1043,
    });
  }
});

t.test('clients that are too old', async (t) => {
  const before41 = Buffer.from('0500000001617070007365', 'hex');
  const step = new ServerHandshake(options).receive(before41, 1);
  t.match(rejection(step), { errno: 1251, sqlState: '08004' });
  t.notOk(step.kind === 'rejected' && step.packets.includes('#08004'), 'such a client knows no SQLSTATE');
  const insecure = withoutCapabilities(
    CAPABILITIES,
    uniteCapabilities(Capability.CLIENT_SECURE_CONNECTION, Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA),
  );
  const old = new ServerHandshake(options).receive(
    response({ capabilities: insecure, authResponse: Buffer.from('abcdefgh') }),
    1,
  );
  t.match(rejection(old), { errno: 1251 });
});

t.test('a client without plugins', async (t) => {
  const capabilities = withoutCapabilities(CAPABILITIES, Capability.CLIENT_PLUGIN_AUTH);
  const handshake = new ServerHandshake(options);
  t.match(handshake.receive(response({ capabilities }), 1), {
    kind: 'accepted',
    plugin: 'mysql_native_password',
    nextSequenceId: 2,
  });
  t.equal(handshake.username, 'app');
  const sha2Only = serverOptions({ lookup: () => ({ password: `$A$005$${'x'.repeat(63)}` }) });
  t.match(rejection(new ServerHandshake(sha2Only).receive(response({ capabilities }), 1)), { errno: 1251 });
});

t.test('a plugin that the server does not have', async (t) => {
  const handshake = new ServerHandshake(options);
  const step = handshake.receive(response({ authPluginName: 'dialog', authResponse: Buffer.alloc(0) }), 1);
  t.equal(step.kind, 'send');
  if (step.kind !== 'send') return;
  t.match(decodeAuthSwitchRequest(step.packets.subarray(4)), {
    pluginName: 'mysql_native_password',
    pluginData: Buffer.concat([options.nonce, Buffer.alloc(1)]),
  });
  t.match(handshake.receive(nativeScramble('secret', options.nonce), 3), {
    kind: 'accepted',
    nextSequenceId: 4,
  });
  t.throws(() => handshake.receive(Buffer.alloc(1), 4), IllegalTransitionError, 'the caller must not go on');
});

t.test('an SSLRequest where TLS is not offered', async (t) => {
  const head = response().subarray(0, 32);
  head.writeUInt32LE(uniteCapabilities(CAPABILITIES, Capability.CLIENT_SSL));
  t.match(rejection(new ServerHandshake(options).receive(head, 1)), { errno: 1043 });
});

t.test('keys of connection attributes mean nothing', async (t) => {
  const step = new ServerHandshake(options).receive(
    response({ connectAttributes: JSON.parse('{"__proto__":"x","constructor":"y"}') }),
    1,
  );
  t.equal(step.kind, 'accepted');
  if (step.kind !== 'accepted') return;
  t.equal(Object.getPrototypeOf(step.connectAttributes), null);
  t.strictSame(Object.keys(step.connectAttributes).toSorted(), ['__proto__', 'constructor']);
});

const changeUser = (overrides: Partial<Parameters<typeof encodeComChangeUser>[0]> = {}): Buffer =>
  encodeComChangeUser(
    {
      username: 'app',
      authResponse: nativeScramble('secret', options.nonce),
      database: 'shop',
      collationId: 2304,
      authPluginName: 'mysql_native_password',
      connectAttributes: { a: 'b' },
      ...overrides,
    },
    CAPABILITIES,
  );
const forChangeUser = (): ServerHandshake =>
  ServerHandshake.forChangeUser({ ...options, maxPacketBytes: 1000 });

/** Runs COM_CHANGE_USER with a client that answers the request for another proof with `password`. */
function change(payload: Buffer, password: string): ServerHandshakeStep {
  const handshake = forChangeUser();
  const step = handshake.receive(payload, 0);
  if (step.kind !== 'send') return step;
  const { pluginName, pluginData } = decodeAuthSwitchRequest(step.packets.subarray(4));
  if (step.packets[3] !== 1 || pluginName !== 'mysql_native_password')
    throw new Error(`asked for ${pluginName}`);
  const nonce = challengeOf(pluginData);
  if (!nonce.equals(options.nonce)) throw new Error('another challenge');
  return handshake.receive(nativeScramble(password, nonce), 2);
}

t.test('COM_CHANGE_USER', async (t) => {
  t.match(change(changeUser({ authResponse: Buffer.alloc(0) }), 'secret'), {
    kind: 'accepted',
    username: 'app',
    database: 'shop',
    collationId: 2304,
    capabilities: CAPABILITIES,
    maxPacketBytes: 1000,
    nextSequenceId: 3,
    packets: Buffer.alloc(0),
  });
  t.match(
    rejection(change(changeUser(), 'wrong')),
    { errno: 1045, sequenceId: 3 },
    'the proof in the command is not used',
  );
  t.match(change(changeUser({ authPluginName: 'caching_sha2_password' }), 'secret'), { kind: 'accepted' });
  const withoutTail = changeUser({ collationId: null, database: null });
  t.match(change(withoutTail, 'secret'), { kind: 'accepted', collationId: null, database: null });
  t.match(rejection(change(changeUser({ username: 'x' }), 'secret')), { errno: 1045, sequenceId: 3 });
  t.match(rejection(forChangeUser().receive(changeUser().subarray(0, 10), 0)), {
    errno: 1043,
    sequenceId: 1,
  });
  t.match(rejection(forChangeUser().receive(changeUser(), 1)), { errno: 1156 });
});

t.test('COM_CHANGE_USER of a client without plugins answers the challenge of the greeting', async (t) => {
  const capabilities = withoutCapabilities(CAPABILITIES, Capability.CLIENT_PLUGIN_AUTH);
  const handshake = () => ServerHandshake.forChangeUser({ ...options, capabilities, maxPacketBytes: 1000 });
  const command = {
    username: 'app',
    database: null,
    collationId: 45,
    authPluginName: null,
    connectAttributes: {},
  };
  const payload = (password: string) =>
    encodeComChangeUser({ ...command, authResponse: nativeScramble(password, options.nonce) }, capabilities);
  t.match(handshake().receive(payload('secret'), 0), { kind: 'accepted', nextSequenceId: 1 });
  t.match(rejection(handshake().receive(payload('wrong'), 0)), { errno: 1045, sequenceId: 1 });
});
