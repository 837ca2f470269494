/** Passwords from files and variables. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError } from '../../../config/config-error.ts';
import { type LoadedConfig, loadConfigWithSources } from '../../../config/load.ts';

const directory = t.testdir({
  monitor: 'from a file\n',
  windows: 'crlf\r\n',
  spaces: '  kept  \n',
  empty: '\n',
  lines: 'one\ntwo\n',
  large: 'x'.repeat(70_000),
});
const at = (name: string): string => join(directory, name);
for (const name of ['monitor', 'windows', 'spaces']) chmodSync(at(name), 0o600);

function load(text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): LoadedConfig {
  return loadConfigWithSources({ file: 'f.yaml', text: `servers: [db]\n${text}`, env, flags });
}

function problemsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(text, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

t.test('wherever a password stands', async (t) => {
  const { config, secretOrigins, warnings } = load(
    `monitor: { username: m, password: { file: ${at('monitor')} } }
users:
  - { username: app, password: { env: APP_PASSWORD } }
  - { username: crlf, password: { file: ${at('windows')} } }
  - { username: spaces, password: { file: ${at('spaces')} } }
  - { username: none }
admin: { users: [{ username: ops, password: { env: OPS_PASSWORD }, role: stats }] }
`,
    { APP_PASSWORD: 'from a variable', OPS_PASSWORD: 'ops secret' },
  );
  t.equal(config.monitor.password, 'from a file');
  t.strictSame(
    config.users.map(({ password }) => password),
    ['from a variable', 'crlf', '  kept  ', null],
  );
  t.strictSame(config.admin.users, [{ username: 'ops', password: 'ops secret', role: 'stats' }]);
  t.strictSame(
    [...secretOrigins],
    [
      ['monitor.password', { kind: 'file', name: at('monitor') }],
      ['users[0].password', { kind: 'environment', name: 'APP_PASSWORD' }],
      ['users[1].password', { kind: 'file', name: at('windows') }],
      ['users[2].password', { kind: 'file', name: at('spaces') }],
      ['admin.users[0].password', { kind: 'environment', name: 'OPS_PASSWORD' }],
    ],
  );
  t.strictSame(warnings, []);
});

t.test('with users of the primary', async (t) => {
  const { config } = load(
    'monitor: { username: m }\nusers: { source: backend, listed: [{ username: a, password: { env: A } }] }',
    { A: 'listed' },
  );
  t.equal(config.users[0]?.password, 'listed');
});

t.test('in variables: a list in JSON, and a variable that names the file', async (t) => {
  const users = JSON.stringify([{ username: 'app', password: { file: at('monitor') } }]);
  const env = {
    SLUICE_USERS: users,
    SLUICE_MONITOR_PASSWORD_FILE: at('windows'),
    SLUICE_MONITOR_USERNAME: 'm',
  };
  const { config } = load('', env);
  t.equal(config.users[0]?.password, 'from a file');
  t.equal(config.monitor.password, 'crlf');
  t.strictSame(problemsOf('', { ...env, SLUICE_MONITOR_PASSWORD: 'other' }), [
    'SLUICE_MONITOR_PASSWORD_FILE: monitor.password: SLUICE_MONITOR_PASSWORD is set as well',
  ]);
  t.strictSame(problemsOf('monitor: { username: m }', { SLUICE_DATA_DIR_FILE: '/x' }), [
    'SLUICE_DATA_DIR_FILE: unknown environment variable, did you mean SLUICE_DATA_DIR?',
  ]);
});

t.test('a file is read again with the configuration', async (t) => {
  const text = `monitor: { username: m, password: { file: ${at('changing')} } }`;
  writeFileSync(at('changing'), 'first', { mode: 0o600 });
  t.equal(load(text).config.monitor.password, 'first');
  writeFileSync(at('changing'), 'second\n');
  t.equal(load(text).config.monitor.password, 'second');
});

const FORMS = 'expected text, {file: /path} or {env: NAME}, found another mapping';
const BROKEN: readonly (readonly [string, string])[] = [
  [`{ file: ${at('missing')} }`, `${at('missing')} cannot be read (ENOENT)`],
  [`{ file: ${directory} }`, `${directory} is no file`],
  [`{ file: ${at('empty')} }`, `${at('empty')} is empty`],
  [`{ file: ${at('lines')} }`, `${at('lines')} holds more than one line, expected the secret only`],
  [`{ file: ${at('large')} }`, `${at('large')} is too large for a secret (70000 bytes)`],
  ['{ env: NOT_SET }', 'the variable NOT_SET is not set'],
  ['{ env: EMPTY }', 'the variable EMPTY is not set'],
  ['{ env: "" }', FORMS],
  ['{ file: 5 }', FORMS],
  ['{}', FORMS],
  ['{ file: a, env: b }', FORMS],
  ['{ flie: a }', FORMS],
  ['[a]', 'expected text, {file: /path} or {env: NAME}, found a list'],
  ['true', 'expected text (put it in quotes), found a boolean'],
];

for (const [value, message] of BROKEN) {
  t.test(`refused: ${value.replaceAll(directory, '…')}`, async (t) => {
    const env = { EMPTY: '' };
    t.strictSame(problemsOf(`monitor:\n  username: m\n  password: ${value}`, env), [
      `f.yaml:4: monitor.password: ${message}`,
    ]);
    const users = `monitor: { username: m }\nusers:\n  - { username: good, password: x }\n  - { username: bad, password: ${value} }`;
    t.strictSame(problemsOf(users, env), [`f.yaml:5: users[1].password: ${message}`], 'in a list');
  });
}

t.test('an operator without a password', async (t) => {
  t.strictSame(problemsOf('monitor: { username: m }\nadmin: { users: [{ username: ops }] }'), [
    'f.yaml:3: admin.users[0].password: is missing, expected text',
  ]);
});

t.test('files that others can get at are warned of', async (t) => {
  const text = `monitor: { username: m, password: { file: ${at('open')} } }\n`;
  writeFileSync(at('open'), 'x');
  const warningsWith = (mode: number): readonly string[] => {
    chmodSync(at('open'), mode);
    return load(text).warnings;
  };
  t.strictSame(warningsWith(0o640), []);
  t.strictSame(warningsWith(0o644), [
    `monitor.password: the file ${at('open')} can be read by every user of this machine (mode 644): chmod 600`,
  ]);
  t.strictSame(warningsWith(0o602), [
    `monitor.password: the file ${at('open')} can be changed by every user of this machine (mode 602): chmod 600`,
  ]);
});

t.test('so are private keys', async (t) => {
  writeFileSync(at('key.pem'), 'x');
  chmodSync(at('key.pem'), 0o644);
  const tls = `tls: { certificate: c, key: ${at('key.pem')} }\n`;
  t.match(load(`monitor: { username: m }\n${tls}`).warnings, [
    /^tls\.key: the file .* can be read by every user/,
  ]);
  chmodSync(at('key.pem'), 0o600);
  t.strictSame(load(`monitor: { username: m }\n${tls}`).warnings, []);
});

t.test('a configuration file with passwords in it that others can read', async (t) => {
  const file = at('sluice.yaml');
  const write = (text: string, mode: number): readonly string[] => {
    writeFileSync(file, text);
    chmodSync(file, mode);
    return loadConfigWithSources({ file, env: { SLUICE_MONITOR_PASSWORD: 'env' }, flags: {} }).warnings;
  };
  const inline = 'servers: [db]\nmonitor: { username: m }\nusers: [{ username: a, password: secret }]\n';
  t.strictSame(write(inline, 0o644), [
    `${file} holds passwords (users[0].password) and can be read by every user of this machine (mode 644): chmod 600`,
  ]);
  t.strictSame(write(inline, 0o640), []);
  t.strictSame(
    write('servers: [db]\nmonitor: { username: m, password: x }\n', 0o644),
    [],
    'a variable is over it',
  );
});

t.test('where settings come from', async (t) => {
  mkdirSync(at('config'), { recursive: true });
  const text = 'listen:\n  port: 7000\nmonitor: { username: m }\nlimits:\n';
  const { sourceOf } = loadConfigWithSources({
    file: 'f.yaml',
    text,
    env: { SLUICE_SERVERS: 'db', SLUICE_POOL_MIN_IDLE: '3' },
    flags: { 'pool.minIdle': '4' },
  });
  t.strictSame(sourceOf(['listen', 'port']), { kind: 'file', file: 'f.yaml', line: 2 });
  t.strictSame(sourceOf(['listen', 'host']), { kind: 'default' });
  t.strictSame(sourceOf(['limits', 'idleTimeoutMs']), { kind: 'default' }, 'an empty section');
  t.strictSame(sourceOf(['servers']), { kind: 'environment', name: 'SLUICE_SERVERS' });
  t.strictSame(sourceOf(['servers', 0]), { kind: 'environment', name: 'SLUICE_SERVERS' });
  t.strictSame(sourceOf(['pool', 'minIdle']), { kind: 'flag', name: 'pool.minIdle' });
});
