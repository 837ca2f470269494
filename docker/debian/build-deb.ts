/**
 * Makes the Debian package, with the Node that runs this script in it: Debian 12 has none that is new enough.
 *
 *   node docker/debian/build-deb.ts FOLDER [--compression xz|gzip|none]
 *
 * | In the package                          | What                                                            |
 * |-----------------------------------------|-----------------------------------------------------------------|
 * | `/usr/lib/sluice`                       | the tree of `docker/build/make-tree.ts`, and `node`             |
 * | `/usr/bin/sluice`                       | a link to its command                                           |
 * | `/lib/systemd/system/sluice.service`    | the unit; installed, not started: it knows no server yet        |
 * | `/etc/sluice/sluice.yaml`               | the configuration: a conffile, which an upgrade leaves alone    |
 * | `/usr/share/man/man8/sluice.8.gz`       | the manual page, made from `--help`                             |
 * | `/usr/share/doc/sluice`                 | licences, changes, the user's page, an example of all settings  |
 *
 * Needs dpkg-deb, and root for nothing. Prints the path of the package. Exit codes: 0 made, 1 not made.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { makeTree } from '../build/make-tree.ts';
import { manPage } from './man-page.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
const LIBRARY = 'usr/lib/sluice';
const CONFIG = 'etc/sluice/sluice.yaml';
/** What the Node of nodejs.org is linked with; older systems than these have no Node 24. */
const DEPENDS = 'libc6 (>= 2.28), libstdc++6 (>= 8), adduser';
/** Node's names of machines, and Debian's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface DebOptions {
  /** Where the package goes. */
  readonly folder: string;
  readonly compression?: 'xz' | 'gzip' | 'none';
  /** The program that the package's scripts run with. */
  readonly node?: string;
}

/** @returns the path of the package */
export async function buildDeb({ folder, compression = 'xz', node = process.execPath }: DebOptions) {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no Debian package for ${process.arch}`);
  const root = mkdtempSync(join(tmpdir(), 'sluice-deb-'));
  try {
    chmodSync(root, 0o755);
    await fill(root, node);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    writeControl(root, version, architecture);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `sluice_${version}_${architecture}.deb`);
    const options = ['--root-owner-group', `-Z${compression}`, '--build', root, file];
    execFileSync('dpkg-deb', options, { stdio: ['ignore', 'ignore', 'inherit'] });
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function fill(root: string, node: string): Promise<void> {
  await makeTree(join(root, LIBRARY), { interpreter: `/${LIBRARY}/node` });
  copy(node, root, `${LIBRARY}/node`, 0o755);
  const command = `${LIBRARY}/dist/src/main.js`;
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  symlinkSync(`../../${command}`, join(root, 'usr/bin/sluice'));
  copy(join(ROOT, 'docker/systemd/sluice.service'), root, 'lib/systemd/system/sluice.service');
  copy(join(ROOT, 'docker/debian/package/sluice.yaml'), root, CONFIG, 0o640);
  writeManPage(root, node, join(root, command));
  const papers = 'usr/share/doc/sluice';
  copy(join(ROOT, 'README.md'), root, `${papers}/README.md`);
  copy(join(ROOT, 'SECURITY.md'), root, `${papers}/SECURITY.md`);
  copy(join(ROOT, 'config/proxy.example.yaml'), root, `${papers}/examples/proxy.example.yaml`);
  write(root, `${papers}/changelog.gz`, gzipSync(readFileSync(join(ROOT, 'CHANGELOG.md')), { level: 9 }));
  write(root, `${papers}/copyright`, copyright(join(root, LIBRARY)));
}

function writeManPage(root: string, node: string, command: string): void {
  const run = (...args: string[]) => execFileSync(node, [command, ...args], { encoding: 'utf8' });
  const version = run('--version')
    .trim()
    .replace(/^sluice /, '');
  const date = statSync(join(ROOT, 'CHANGELOG.md')).mtime.toISOString().slice(0, 10);
  const page = manPage({ help: run('--help'), version, date });
  write(root, 'usr/share/man/man8/sluice.8.gz', gzipSync(page, { level: 9 }));
}

/** In the machine-readable format of Debian, as far as it has fields for this. */
function copyright(library: string): string {
  const notices = readFileSync(join(library, 'THIRD-PARTY-NOTICES'), 'utf8');
  return [
    'Sluice is licensed under the Apache License 2.0: /usr/share/common-licenses/Apache-2.0 on Debian, and',
    `/${LIBRARY}/LICENSE. Node.js, /${LIBRARY}/node, is licensed as https://github.com/nodejs/node/blob/main/LICENSE says.`,
    'What is bundled with Sluice:',
    '',
    notices,
  ].join('\n');
}

function writeControl(root: string, version: string, architecture: string): void {
  const installed = globSync('**/*', { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = installed.reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  );
  const control = [
    'Package: sluice',
    `Version: ${version}`,
    'Section: database',
    'Priority: optional',
    `Architecture: ${architecture}`,
    'Maintainer: The Sluice authors <sluice@localhost>',
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    `Depends: ${DEPENDS}`,
    'Recommends: systemd',
    'Description: SQL proxy for MySQL and MariaDB',
    ' Sends writes to the primary and proven reads to replicas that are not behind, over',
    ' shared connections; caches results that it can prove fresh; goes on when a replica',
    ' lags or the primary dies. Operators use SQL on a second port.',
    '',
  ];
  write(root, 'DEBIAN/control', control.join('\n'));
  write(root, 'DEBIAN/conffiles', `/${CONFIG}\n`);
  for (const script of SCRIPTS)
    copy(join(ROOT, 'docker/debian/package', script), root, `DEBIAN/${script}`, 0o755);
}

function write(root: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode: 0o644 });
}

function copy(from: string, root: string, path: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  copyFileSync(from, join(root, path));
  chmodSync(join(root, path), mode);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { compression: { type: 'string', default: 'xz' } },
  });
  const [folder] = positionals;
  const { compression } = values;
  if (folder === undefined || (compression !== 'xz' && compression !== 'gzip' && compression !== 'none')) {
    process.stderr.write('usage: node docker/debian/build-deb.ts FOLDER [--compression xz|gzip|none]\n');
    process.exitCode = 1;
  } else {
    const file = await buildDeb({ folder, compression });
    process.stdout.write(`${file}\n`);
  }
}
