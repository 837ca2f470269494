import t from 'tap';
import { loadConfig } from '../../../config/load.ts';
import { planReload } from '../../../config/reload.ts';

const BASE = 'servers: [a]\nmonitor: { username: m }\n';

function load(text: string) {
  return loadConfig({ file: 'f.yaml', text: BASE + text, env: {}, flags: {} });
}

t.test('nothing changed', async (t) => {
  const plan = planReload(load(''), load('servers: [{ host: A, port: 3306 }]'.slice(0, 0)));
  t.strictSame(plan.changed, []);
  t.strictSame(plan.needRestart, []);
});

t.test('another way to write the same server is no change', async (t) => {
  const text = 'servers: [{ port: 3306, host: A }]\nmonitor: { username: m }\n';
  const plan = planReload(load(''), loadConfig({ text, env: {}, flags: {} }));
  t.strictSame(plan.changed, []);
});

t.test('settings that can change do, the others keep their value', async (t) => {
  const before = load('');
  const after = load(
    'pool: { maxConnections: 7 }\nlisten: { port: 7000 }\nworkers: 9\nusers: [{ username: x }]',
  );
  const { config, changed, needRestart } = planReload(before, after);
  t.strictSame(changed, ['users', 'pool.maxConnections']);
  t.strictSame(needRestart, ['listen.port', 'workers']);
  t.equal(config.pool.maxConnections, 7);
  t.equal(config.listen.port, 6033);
  t.equal(config.workers, before.workers);
  t.equal(config.users.length, 1);
  t.ok(Object.isFrozen(config) && Object.isFrozen(config.listen));
});

t.test('values that stay and values that change must go together', async (t) => {
  const before = load('admin: { host: 0.0.0.0, users: [{ username: ops, password: long-and-secret }] }');
  const after = load('admin: { host: 127.0.0.1 }');
  t.throws(() => planReload(before, after), {
    name: 'ConfigError',
    message: /admin\.host: "0\.0\.0\.0" is not loopback.*default password/,
  });
});
