/** The tree that images and packages install works without anything of the checkout, and holds nothing that it does not need. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { init, parse } from 'es-module-lexer';
import t from 'tap';
import { findScripts } from '../../../docker/build/bundle.ts';
import { makeTree } from '../../../docker/build/make-tree.ts';
import { nodeProgram } from '../../support/node-program.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runProgram } from '../../support/run-program.ts';
import { servesClientsAndOperators } from '../../support/serving.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { OtlpReceiver } from '../logs/otlp-receiver.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DASHBOARD = 'dist/src/control/http/dashboard/';
const MAX_TREE_BYTES = 10_000_000;
const tree = mkdtempSync(join(tmpdir(), 'sluice-tree-'));
t.teardown(() => rmSync(tree, { recursive: true, force: true }));

function filesOf(folder: string): string[] {
  const entries = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => posix.join(entry.parentPath, entry.name).slice(folder.length + 1)).toSorted();
}

/** The files that these import, at once or later, and so on. */
function reachedFrom(scripts: readonly string[]): Set<string> {
  const reached = new Set(scripts);
  for (const file of reached) {
    const [imports] = parse(readFileSync(join(tree, file), 'utf8'), file);
    for (const { specifier } of imports) {
      if (specifier?.startsWith('.') === true) reached.add(posix.join(posix.dirname(file), specifier));
    }
  }
  return reached;
}

const run = (args: readonly string[]) => runProgram(join(tree, 'dist/src/main.js'), args, { cwd: tree });

t.before(async () => {
  await init;
  await makeTree(tree, { interpreter: await nodeProgram() });
});

t.test('every file of it is used', async (t) => {
  const files = filesOf(tree);
  const scripts = findScripts(ROOT).map((script) => `dist/${script.replace(/\.ts$/, '.js')}`);
  t.ok(
    scripts.includes('dist/src/data/worker.js') && scripts.includes('dist/src/main.js'),
    'scripts are found',
  );
  const pages = files.filter((file) => file.startsWith(`${DASHBOARD}client/`) && !/\/chunk-/.test(file));
  const read = [
    'node-sql-parser/build/mysql.js',
    'node-sql-parser/build/mariadb.js',
    're2js/build/index.js',
  ].map((name) => `node_modules/${name}`);
  const charts = ['uPlot.iife.min.js', 'uPlot.min.css'].map((name) => `node_modules/uplot/dist/${name}`);
  const papers = ['LICENSE', 'THIRD-PARTY-NOTICES', 'package.json'];
  const tables = files.filter((file) => file.startsWith('node_modules/iconv-lite/encodings/tables/'));
  const manifests = ['iconv-lite', 'node-sql-parser', 're2js', 'uplot'].map(
    (name) => `node_modules/${name}/package.json`,
  );
  const assets = files.filter((file) => file.startsWith(`${DASHBOARD}assets/`));
  const code = reachedFrom([...scripts, ...pages]);
  t.strictSame(
    files,
    [...code, ...read, ...tables, ...charts, ...papers, ...manifests, ...assets].toSorted(),
  );
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(tree, file)).length, 0);
  t.ok(bytes < MAX_TREE_BYTES, `${bytes} bytes in ${files.length} files`);
});

t.test('names the licences of what is bundled', async (t) => {
  const notices = readFileSync(join(tree, 'THIRD-PARTY-NOTICES'), 'utf8');
  for (const name of ['mysql2', 'pino', 'zod', 'node-sql-parser', 'uplot', '@opentelemetry/api'])
    t.match(notices, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)$`, 'm'));
  t.notMatch(
    notices,
    /^(esbuild|typescript|tap|mysql-server-5\.7-lin-x64) /m,
    'what makes or tests it is not in it',
  );
});

t.test('its command', async (t) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  t.match(await run(['--version']), { stdout: `sluice ${version}\n`, stderr: '', code: 0 });
  const refused = await run(['--servers', '127.0.0.1', '--monitor.usrname', 'm']);
  t.match(refused, { stdout: '', code: 2, stderr: /did you mean --monitor.username\?/ });
});

t.test('what is loaded on demand can be loaded', async (t) => {
  const chunks = filesOf(tree).filter((file) => file.startsWith('dist/chunks/'));
  for (const chunk of chunks) await import(pathToFileURL(join(tree, chunk)).href);
  const require = createRequire(join(tree, 'dist/src/data/worker.js'));
  for (const dialect of ['mysql', 'mariadb']) {
    const { Parser } = require(`node-sql-parser/build/${dialect}`) as {
      Parser: new () => { tableList(sql: string): string[] };
    };
    t.strictSame(new Parser().tableList('SELECT 1 FROM a.b'), ['select::a::b'], dialect);
  }
});

t.test('serves clients in front of real servers', async (t) => {
  const set = await new ReplicationSet({ replicas: 1 }).start();
  t.teardown(() => set.dispose());
  const receiver = await OtlpReceiver.start();
  t.teardown(() => receiver.close());
  const sluice = await SluiceProcess.startFor(set, {
    command: { program: join(tree, 'dist/src/main.js'), args: [] },
    config: { workers: 1, tracing: { enabled: true, endpoint: receiver.endpoint, sampleEvery: 1 } },
  });
  t.teardown(() => sluice.dispose());
  await servesClientsAndOperators(t, sluice);
  t.match(await run(['check', '--ready', '--http.port', String(sluice.httpPort)]), { code: 0 });
  const served = filesOf(join(tree, DASHBOARD)).filter((file) => !file.endsWith('.html'));
  for (const name of [...served.map((file) => posix.basename(file)), 'uplot.js', 'uplot.css'])
    t.equal((await sluice.get(`/assets/${name}`)).status, 200, `the dashboard has its ${name}`);
  t.match(await (await sluice.get('/login')).text(), 'src="/assets/login-page.js"');

  await sluice.stop();
  t.match(sluice.exit, { code: 0 }, 'SIGTERM ends it by itself');
  t.ok(receiver.spans.length >= 3, 'traces were sent, by what was loaded for them');
});
