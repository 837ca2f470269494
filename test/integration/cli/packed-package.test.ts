// sluice-test: long timeout=300
/** What `npm pack` makes works in an empty folder, without anything of the checkout. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type ProgramResult, runProgram } from '../../support/run-program.ts';
import { servesClientsAndOperators } from '../../support/serving.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Packing compiles, installing fetches a hundred packages and Node itself. */
const TIMEOUT_MS = 300_000;

/** What `npm test` puts into the environment would make an inner npm work on the checkout instead of the folder. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|SLUICE_|TAP|INIT_CWD$|NODE_OPTIONS$|NODE_ENV$)/i.test(name),
  );
  return Object.fromEntries(kept);
}

function run(command: string, args: readonly string[], cwd: string): Promise<ProgramResult> {
  const options = { cwd, env: cleanEnvironment(), timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
  return runProgram(command, args, options);
}

function packageJson(folder: string): { readonly version: string; readonly files?: readonly string[] } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** The machine's own Node, where it is too old for Sluice. */
async function findOldNode(): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, 'node');
    if (folder.includes('node_modules') || !existsSync(candidate)) continue;
    const { stdout } = await run(candidate, ['--version'], ROOT);
    if (Number.parseInt(stdout.slice(1), 10) < 24) return candidate;
  }
  return null;
}

t.test('the packed package', { timeout: TIMEOUT_MS }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-pack-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const application = join(directory, 'application');
  mkdirSync(application);

  const packed = await run('npm', ['pack', '--pack-destination', directory], ROOT);
  t.equal(packed.code, 0, `npm pack: ${packed.stdout}${packed.stderr}`);
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'));
  t.type(tarball, 'string', 'there is a tarball');

  const node = `node@${packageJson(join(ROOT, 'node_modules/node')).version}`;
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', application];
  const installed = await run(
    'npm',
    ['install', ...flags, join(directory, String(tarball)), node],
    application,
  );
  t.equal(installed.code, 0, `npm install: ${installed.stderr}`);

  const own = join(application, 'node_modules/sluice');
  const bin = join(application, 'node_modules/.bin');
  const program = join(bin, 'node');
  await t.test('holds what it needs and nothing else', async (t) => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md'];
    t.strictSame(readdirSync(own).sort(), [...papers, 'config', 'dist', 'package.json', 'src'].sort());
    t.strictSame(readdirSync(join(own, 'src/common')), ['ERRORS.md']);
    t.strictSame(readdirSync(join(own, 'config')).sort(), [
      'README.md',
      'proxy.example.yaml',
      'proxy.minimal.yaml',
      'proxy.schema.json',
    ]);
    t.strictSame(readdirSync(join(own, 'dist')).sort(), ['config', 'protocol', 'src']);
  });

  await t.test('npx sluice', async (t) => {
    const version = await run('npx', ['--no-install', 'sluice', '--version'], application);
    t.equal(version.stdout, `sluice ${packageJson(ROOT).version}\n`, version.stderr);
    writeFileSync(join(application, 'good.yaml'), 'servers: [a]\nmonitor: { username: m }\n');
    writeFileSync(join(application, 'bad.yaml'), 'servers: [a]\nmonitor: { usrname: m }\n');
    // What npx has found is run without it, which takes half the CPU.
    const check = (file: string) =>
      run(program, [join(bin, 'sluice'), '--check-config', '--config', file], application);
    const good = await check('good.yaml');
    t.equal(good.code, 0, good.stderr);
    t.match(good.stdout, /^good\.yaml: valid\n/);
    const bad = await check('bad.yaml');
    t.equal(bad.code, 2);
    t.match(bad.stderr, 'sluice: bad.yaml:2: monitor.usrname: unknown key, did you mean "username"?');
  });

  await t.test('serves clients in front of real servers', async (t) => {
    const set = await new ReplicationSet({ replicas: 1 }).start();
    t.teardown(() => set.dispose());
    const command = { program, args: [join(own, 'dist/src/main.js')] };
    const sluice = await SluiceProcess.startFor(set, { command });
    t.teardown(() => sluice.dispose());
    await servesClientsAndOperators(t, sluice);
    for (const path of ['/login', '/assets/main.js', '/assets/views.css', '/assets/uplot.js'])
      t.equal((await sluice.get(path)).status, 200, `the dashboard has its ${path}`);
    await sluice.stop();
    t.match(sluice.exit, { code: 0 }, 'SIGTERM ends it by itself');
  });

  const oldNode = await findOldNode();
  await t.test(
    'an old Node is refused in a sentence',
    { skip: oldNode === null && 'no old Node here' },
    async (t) => {
      const refused = await run(String(oldNode), [join(own, 'dist/src/main.js'), '--version'], application);
      t.match(refused, { code: 1, stdout: '' });
      t.match(refused.stderr, /^sluice: Node 24 or newer is needed, this is \d+\.\d+\.\d+\n$/);
    },
  );
});
