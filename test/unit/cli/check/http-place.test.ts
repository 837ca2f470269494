import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CheckError } from '../../../../src/cli/check/check-exit.ts';
import { httpPlace, type PlaceSources } from '../../../../src/cli/check/http-place.ts';
import { placeOfUrl } from '../../../../src/cli/check/url-place.ts';
import { makeTemporaryDirectory } from '../../../support/owned-resources.ts';

const directory = makeTemporaryDirectory('check');
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(directory, 'sluice.yaml');
  writeFileSync(path, text);
  return path;
}

async function placed(sources: Partial<Omit<PlaceSources, 'flags'>> & { flags?: Record<string, string> }) {
  const { flags = {}, ...rest } = sources;
  const { host, port, isTls } = await httpPlace({
    configFile: null,
    env: {},
    ...rest,
    flags: new Map(Object.entries(flags)),
  });
  return `${isTls ? 'https' : 'http'}://${host}:${port}`;
}

t.test('flags before variables, variables before the file, the file before the defaults', async (t) => {
  const configFile = file('servers: [a]\nhttp:\n  host: 10.0.0.1\n  port: 7001 # as text\n');
  t.equal(await placed({}), 'http://127.0.0.1:6080');
  t.equal(await placed({ configFile }), 'http://10.0.0.1:7001');
  t.equal(await placed({ env: { SLUICE_CONFIG: configFile } }), 'http://10.0.0.1:7001');
  const env = { SLUICE_HTTP_PORT: '7002', SLUICE_HTTP_HOST: '' };
  t.equal(await placed({ configFile, env }), 'http://10.0.0.1:7002', 'an empty variable is not set');
  t.equal(await placed({ configFile, env, flags: { 'http.port': '7003' } }), 'http://10.0.0.1:7003');
  const flags = { 'http.host': 'h', 'http.port': '1', 'http.tls': 'true' };
  t.equal(await placed({ configFile: '/nowhere.yaml', flags }), 'https://h:1', 'a file that is not needed');
});

t.test('the forms that YAML has', async (t) => {
  for (const text of [
    '{ "http": { "port": 7001, "tls": yes } }',
    'http: &web\n    tls: "on"\n    "port": 7001\nother: *web\n',
    "# http: not this one\nhttp: {port: '7001', tls: true}\n",
  ])
    t.equal(await placed({ configFile: file(text) }), 'https://127.0.0.1:7001', text);
  t.equal(
    await placed({ configFile: file('http:\n  # port: 1\n') }),
    'http://127.0.0.1:6080',
    'an empty section',
  );
  t.equal(
    await placed({ configFile: file('servers: [') }),
    'http://127.0.0.1:6080',
    'faulty, but not about this',
  );
});

t.test('a listener on all addresses is asked on this machine', async (t) => {
  t.equal(await placed({ env: { SLUICE_HTTP_HOST: '0.0.0.0' } }), 'http://127.0.0.1:6080');
  t.equal(await placed({ env: { SLUICE_HTTP_HOST: '[::]' } }), 'http://::1:6080');
  t.equal(
    await placed({ env: { SLUICE_HTTP_PORT: 'tcp://10.0.0.9:6080' } }),
    'http://127.0.0.1:6080',
    "a variable of Kubernetes' for a service called sluice-http",
  );
});

t.test('what cannot be told', async (t) => {
  const fails = async (sources: Parameters<typeof placed>[0], message: string | RegExp) => {
    const thrown = await placed(sources).then(
      () => null,
      (error: unknown) => error,
    );
    t.ok(thrown instanceof CheckError);
    t.match((thrown as Error).message, message);
  };
  await fails({ configFile: '/nowhere.yaml' }, '/nowhere.yaml cannot be read (ENOENT)');
  await fails({ configFile: file('http: [\n') }, /sluice\.yaml is no valid YAML$/);
  await fails(
    { flags: { 'http.port': '0' } },
    'http.port is 0, so that the system has chosen the port: use --url',
  );
  await fails({ flags: { 'http.port': '70000' } }, 'http.port is no port');
  await fails({ env: { SLUICE_HTTP_PORT: 'x' } }, 'http.port is no port');
});

t.test('--url', async (t) => {
  t.match(placeOfUrl('http://10.0.0.1:6080'), { host: '10.0.0.1', port: 6080, isTls: false });
  t.match(placeOfUrl('https://[::1]:7001/'), { host: '::1', port: 7001, isTls: true });
  t.match(placeOfUrl('https://sluice.example'), { host: 'sluice.example', port: 443, isTls: true });
  for (const bad of ['10.0.0.1:6080', 'ftp://a', 'http://a/metrics', 'http://u:hunter2@a', 'http://'])
    t.throws(() => placeOfUrl(bad), { name: 'CheckError', message: /^--url takes (?!.*hunter2)/ }, bad);
});
