/** The command as a user runs it from a checkout. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runSluice } from '../../support/run-program.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const directory = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function configFile(text: string): string {
  const file = join(directory, 'sluice.yaml');
  writeFileSync(file, text);
  return file;
}

t.test('--version', async (t) => {
  t.strictSame(await runSluice(['--version']), { code: 0, stdout: `sluice ${VERSION}\n`, stderr: '' });
});

t.test('--help', async (t) => {
  const { code, stdout, stderr } = await runSluice(['--help']);
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(stdout, /^Usage: sluice /);
  t.match(stdout, /--pool\.maxConnections N/);
});

t.test('--check-config of a good configuration', async (t) => {
  const file = configFile(
    'servers: ["10.0.0.5"]\nmonitor: { username: m, password: hunter2 }\nusers: [{ username: app }]\n',
  );
  const { code, stdout, stderr } = await runSluice([
    '--config',
    file,
    '--check-config',
    '--listen.port',
    '7033',
  ]);
  t.equal(code, 0);
  t.equal(stderr, '');
  t.ok(stdout.startsWith(`${file}: valid\n`));
  t.match(stdout, /clients +0\.0\.0\.0:7033\n/);
  t.match(stdout, /servers +10\.0\.0\.5:3306 /);
  t.notMatch(stdout, /hunter2/);
});

t.test('config print, config check and config diff', async (t) => {
  const file = configFile('servers: [a]\nmonitor: { username: m, password: hunter2 }\nusers: []\n');
  const printed = await runSluice(['config', 'print', '-c', file], { SLUICE_WORKERS: '3' });
  t.match(printed, { code: 0, stderr: '', stdout: /^workers: 3 +# SLUICE_WORKERS$/m });
  t.notMatch(printed.stdout, /hunter2/);
  t.match(await runSluice(['config', 'check', '-c', file]), { code: 0, stdout: /: valid\n/ });
  t.strictSame(await runSluice(['config', 'diff', file, file]), { code: 0, stdout: '', stderr: '' });
  t.match(await runSluice(['config', 'diff', '-c', file]), {
    code: 1,
    stdout: /~ monitor\.password: null -> "\*\*\*"\n/,
  });
  t.match(await runSluice(['config', 'diff', file, '-c', file, '--log.level', 'warn']), {
    code: 0,
    stdout: '',
  });
  t.match(await runSluice(['config', 'diff', file, '/nowhere.yaml']), {
    code: 2,
    stderr: /\/nowhere\.yaml: the file cannot be read \(ENOENT\)/,
  });
});

t.test('--check-config looks into the files of certificates', async (t) => {
  const base = 'servers: [a]\nmonitor: { username: m }\n';
  const file = configFile(`${base}tls: { certificate: /nowhere/cert.pem, key: /nowhere/key.pem }\n`);
  const { code, stderr } = await runSluice(['--check-config', '-c', file]);
  t.equal(code, 2);
  t.equal(stderr, 'sluice: tls.certificate: /nowhere/cert.pem cannot be read (ENOENT)\n');
});

t.test('the examples of config/ are good', async (t) => {
  for (const name of ['proxy.example.yaml', 'proxy.minimal.yaml']) {
    const { code, stderr } = await runSluice(['--check-config', '-c', join(ROOT, 'config', name)]);
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, name);
  }
});

t.test('a bad configuration: exit code 2, and each key with its line and the nearest name', async (t) => {
  const file = configFile(
    'listen: { prot: 6033 }\nservers: [a, "a:3306"]\nmonitor:\n  username: m\n  password: 12\n',
  );
  const expected = {
    code: 2,
    stdout: '',
    stderr: [
      `sluice: ${file}:1: listen.prot: unknown key, did you mean "port"?`,
      `sluice: ${file}:2: servers[1]: a:3306 is in the list already, as servers[0]`,
      `sluice: ${file}:5: monitor.password: expected text (put it in quotes), found a number`,
      '',
    ].join('\n'),
  };
  t.strictSame(await runSluice(['--check-config', '--config', file]), expected);
  t.strictSame(await runSluice(['--config', file]), expected, 'a start is refused in the same way');
});

t.test('no file and nothing else: says what is needed', async (t) => {
  const { code, stderr } = await runSluice([]);
  t.equal(code, 2);
  t.match(stderr, /servers: at least one server is needed/);
  t.match(stderr, /use --config FILE, or see --help/);
});

t.test('environment alone is enough', async (t) => {
  const env = { SLUICE_SERVERS: 'db1,db2:3307', SLUICE_MONITOR_USERNAME: 'm', SLUICE_USERS: 'app:hunter2' };
  const { code, stdout } = await runSluice(['--check-config'], env);
  t.equal(code, 0);
  t.match(stdout, /db2:3307/);
  t.notMatch(stdout, /hunter2/);
});

t.test('SLUICE_CONFIG names the file, --config goes before it', async (t) => {
  const file = configFile('servers: [a]\nmonitor: { username: m }\n');
  t.equal((await runSluice(['--check-config'], { SLUICE_CONFIG: file })).code, 0);
  const other = await runSluice(['--check-config', '--config', '/nonexistent'], { SLUICE_CONFIG: file });
  t.strictSame([other.code, other.stdout], [2, '']);
  t.match(other.stderr, /sluice: \/nonexistent: the file cannot be read \(ENOENT\)/);
});

t.test('a bad command line', async (t) => {
  const { code, stdout, stderr } = await runSluice(['--listen.prot', '1']);
  t.strictSame([code, stdout], [2, '']);
  t.equal(stderr, 'sluice: unknown flag --listen.prot, did you mean --listen.port?\nsluice: see --help\n');
});

t.test('an older Node is refused in a sentence, before anything else is loaded', async (t) => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` };
  t.strictSame(await runSluice(['--version'], env), {
    code: 1,
    stdout: '',
    stderr: 'sluice: Node 24 or newer is needed, this is 20.20.2\n',
  });
});
