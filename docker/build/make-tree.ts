/**
 * Makes the tree that images and packages install: everything that Sluice needs beside Node, and nothing else.
 *
 *   node docker/build/make-tree.ts FOLDER [--interpreter /usr/lib/sluice/node]
 *
 * | In the folder                 | What                                                                        |
 * |-------------------------------|-----------------------------------------------------------------------------|
 * | `dist/src/main.js`            | the command, executable; `--interpreter` is the Node of its first line      |
 * | `dist/`                       | the scripts of threads and processes, what they share, the dashboard        |
 * | `node_modules/`               | files that are read and not imported: grammars, patterns, tables, the library of the charts |
 * | `package.json`                | says that the files are modules, and which version it is                    |
 * | `LICENSE`, `THIRD-PARTY-NOTICES` | of Sluice, and of what is bundled with it                                |
 *
 * Needs the packages of `dependencies`, and esbuild. Exit codes: 0 made, 1 not made.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleDashboard, bundleProgram, bundleRequired, TABLES } from './bundle.ts';
import { noticesOf, packagesOf } from './notices.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = 'dist/src/main.js';
const ASSETS = 'src/control/http/dashboard/assets';
/** What the code finds through `createRequire`. */
const GRAMMARS = {
  package: 'node_modules/node-sql-parser',
  files: ['build/mysql.js', 'build/mariadb.js'],
} as const;
const PATTERNS = { package: 'node_modules/re2js', files: ['build/index.cjs'] } as const;
const CHARTS = {
  package: 'node_modules/uplot',
  files: ['dist/uPlot.iife.min.js', 'dist/uPlot.min.css'],
} as const;

const CHARACTER_SETS = 'node_modules/iconv-lite';

export interface TreeOptions {
  /** The first line of the command; `env` finds Node in the PATH. */
  readonly interpreter?: string;
}

/** @param folder does not exist yet, or is empty */
export async function makeTree(folder: string, { interpreter = '/usr/bin/env node' }: TreeOptions = {}) {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  const required = [GRAMMARS, PATTERNS].flatMap(({ package: name, files }) =>
    files.map((file) => `${name}/${file}`),
  );
  const [program, dashboard, packages] = await Promise.all([
    bundleProgram(ROOT),
    bundleDashboard(ROOT),
    bundleRequired(ROOT, required),
  ]);
  const write = (path: string, text: string) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const { path, text } of [...program.files, ...dashboard.files]) write(`dist/${path}`, text);
  for (const { path, text } of packages.files) write(path, text);
  cpSync(join(ROOT, ASSETS), join(folder, 'dist', ASSETS), { recursive: true });
  for (const file of CHARTS.files) copy(`${CHARTS.package}/${file}`, folder);
  for (const file of globSync(`node_modules/${TABLES}/*.json`, { cwd: ROOT })) copy(file, folder);
  const manifests = [GRAMMARS.package, CHARTS.package, CHARACTER_SETS].map((path) => `${path}/package.json`);
  for (const manifest of manifests) write(manifest, packageJson(dirname(manifest)));
  const patterns = `${PATTERNS.package}/package.json`;
  write(patterns, packageJson(PATTERNS.package, { main: 'build/index.js' }));
  write('package.json', packageJson('.', { type: 'module', bin: { sluice: COMMAND } }));
  copy('LICENSE', folder);
  const inputs = [program, dashboard, packages].flatMap((bundle) => bundle.inputs);
  write('THIRD-PARTY-NOTICES', noticesOf(ROOT, packagesOf([...inputs, ...manifests, patterns])));
  const command = readFileSync(join(folder, COMMAND), 'utf8');
  write(COMMAND, command.replace(/^#!.*/, `#!${interpreter}`));
  chmodSync(join(folder, COMMAND), 0o755);
}

function copy(path: string, folder: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  cpSync(join(ROOT, path), join(folder, path));
}

/** Of a package what Node looks at, and what tells people what it is. */
function packageJson(folder: string, more: Readonly<Record<string, unknown>> = {}): string {
  const { name, version, license, engines } = JSON.parse(
    readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
  );
  return `${JSON.stringify({ name, version, license, engines, ...more }, null, 2)}\n`;
}

interface Part {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

const PARTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['grammars of SQL', /^node_modules\/node-sql-parser\//],
  ['patterns of rules', /^node_modules\/re2js\//],
  ['character sets', /^node_modules\/iconv-lite\//],
  ['dashboard', /^(?:dist\/src\/control\/http\/dashboard|node_modules\/uplot)\//],
  ['program', /^dist\//],
  ['papers', /^/],
];

/** What is in a tree, in the order of PARTS. */
export function partsOf(folder: string): Part[] {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
  const partOf = (path: string) => PARTS.find(([, pattern]) => pattern.test(path))?.[0];
  return PARTS.map(([name]) => {
    const own = paths.filter((path) => partOf(path) === name);
    const bytes = own.reduce((sum, path) => sum + readFileSync(join(folder, path)).length, 0);
    return { name, files: own.length, bytes };
  });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { interpreter: { type: 'string' } },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1)
    throw new Error('usage: make-tree.ts FOLDER [--interpreter NODE]');
  await makeTree(folder, values);
  for (const { name, files, bytes } of partsOf(folder))
    console.log(
      `${name.padEnd(16)} ${String(files).padStart(3)} files ${(bytes / 1e6).toFixed(2).padStart(6)} MB`,
    );
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    console.error(`make-tree: ${error.message}`);
    process.exitCode = 1;
  });
}
