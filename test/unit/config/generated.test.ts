/** What is made from the schema is fresh, valid and complete. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { MAX_SERVERS, MAX_USERS, MAX_WORKERS } from '../../../config/capacity.ts';
import { renderAll } from '../../../config/generate.ts';
import { loadConfig } from '../../../config/load.ts';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';
import { parseYaml } from '../../../config/yaml-source.ts';
import * as sharedCounters from '../../../src/common/shared-counters.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../../src/control/monitor/monitor-settings.ts';
import { runProgram } from '../../support/run-program.ts';

function read(name: string): string {
  return readFileSync(new URL(`../../../config/${name}`, import.meta.url), 'utf8');
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

async function check(root: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await runProgram(process.execPath, [join(root, 'config/generate.ts'), '--check']);
  return { code, stderr };
}

const SETTINGS = collectSettings(configJsonSchema());

t.test('the generated files are fresh (npm run generate)', async (t) => {
  for (const [name, wanted] of renderAll()) t.equal(read(name), wanted, name);
});

t.test('generate --check passes here, and fails by name where a file is stale', async (t) => {
  t.strictSame(await check(ROOT), { code: 0, stderr: '' });
  const copy = mkdtempSync(join(tmpdir(), 'sluice-generate-'));
  t.teardown(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(ROOT, 'config'), join(copy, 'config'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  appendFileSync(join(copy, 'config/README.md'), 'edited by hand');
  rmSync(join(copy, 'config/proxy.schema.json'));
  t.strictSame(await check(copy), {
    code: 1,
    stderr:
      'config/proxy.schema.json is stale: run npm run generate\nconfig/README.md is stale: run npm run generate\n',
  });
});

t.test('the JSON schema takes a password in each of its forms, and no other', async (t) => {
  const properties = configJsonSchema().properties ?? {};
  const monitor = properties.monitor?.properties?.password;
  const places = [monitor, properties.admin?.properties?.users?.items?.properties?.password];
  for (const place of places) {
    t.match(place, {
      'x-secret': true,
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          properties: { file: { type: 'string', minLength: 1 }, env: { type: 'string', minLength: 1 } },
          additionalProperties: false,
          minProperties: 1,
          maxProperties: 1,
        },
      ],
    });
  }
});

t.test('both examples are valid', async (t) => {
  for (const name of ['proxy.example.yaml', 'proxy.minimal.yaml']) {
    const text = read(name);
    t.doesNotThrow(() => loadConfig({ file: name, text, env: {}, flags: {} }), name);
  }
});

t.test('the example shows every key, with the default where there is one', async (t) => {
  const { values } = parseYaml('proxy.example.yaml', read('proxy.example.yaml'));
  const bare = loadConfig({ text: 'servers: [a]\nmonitor: { username: m }', env: {}, flags: {} });
  for (const { path, defaultValue, defaultText, kind } of SETTINGS) {
    const at = (root: unknown): unknown =>
      path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], root);
    // A secret that may be left out has no value that it could show.
    const isLeftOut = defaultValue === undefined && defaultText !== null && defaultText !== 'required';
    if (isLeftOut && at(values) === undefined)
      t.match(read('proxy.example.yaml'), new RegExp(`^ *# ${path.split('.').at(-1)}:$`, 'm'), path);
    else t.not(at(values), undefined, path);
    if (defaultText !== null || kind === 'list') continue;
    t.strictSame(at(values), defaultValue, `${path} shows its default`);
    t.strictSame(at(bare), defaultValue);
  }
});

t.test('every setting is explained and has a place in table, environment and flags', async (t) => {
  const readme = read('README.md');
  t.ok(SETTINGS.length > 40, `${SETTINGS.length} settings`);
  for (const { path, description, kind, minimum, maximum, unit } of SETTINGS) {
    t.ok(readme.includes(`| \`${path}\` |`), `${path} is in README.md`);
    t.ok(description.length > 0, `${path} is explained`);
    if (kind === 'integer') t.ok(minimum !== null && maximum !== null, `${path} has bounds`);
    if (/Ms$/.test(path)) t.equal(unit, 'ms', path);
    if (/Bytes$/.test(path)) t.equal(unit, 'bytes', path);
  }
  t.equal(
    new Set(SETTINGS.map(({ variable }) => variable)).size,
    SETTINGS.length,
    'variables do not collide',
  );
});

t.test('variables are the path in upper snake case', async (t) => {
  const byPath = new Map(SETTINGS.map((setting) => [setting.path, setting.variable]));
  t.equal(byPath.get('listen.port'), 'SLUICE_LISTEN_PORT');
  t.equal(byPath.get('limits.maxPacketBytes'), 'SLUICE_LIMITS_MAX_PACKET_BYTES');
  t.equal(byPath.get('dataDir'), 'SLUICE_DATA_DIR');
});

t.test('the limits of lists are the sizes of the shared tables', async (t) => {
  t.strictSame(
    { MAX_SERVERS, MAX_USERS, MAX_WORKERS },
    {
      MAX_SERVERS: sharedCounters.MAX_SERVERS,
      MAX_USERS: sharedCounters.MAX_USERS,
      MAX_WORKERS: sharedCounters.MAX_WORKERS,
    },
  );
});

t.test("the monitor's settings have the same names and defaults in its own code", async (t) => {
  const { monitor } = loadConfig({ text: 'servers: [a]\nmonitor: { username: m }', env: {}, flags: {} });
  const { username, password, ...settings } = monitor;
  const { discoveredDefaults, ...own } = DEFAULT_MONITOR_SETTINGS;
  t.strictSame(settings, own);
});
