/** Where a suite's source is: in a folder that is named, or in a source package of Debian that is fetched. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { DriverSuite } from './driver-suite.ts';

const execFileAsync = promisify(execFile);

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Kept from one run to the next, like the servers' data directories. */
const cache = join(
  dirname(process.env.SLUICE_TEST_TEMPLATES ?? join(tmpdir(), 'templates')),
  'sluice-driver-sources',
);

/** @param named from the command line; else the variable DRIVER_SOURCE_<SUITE> is asked, then Debian */
export async function findSource(suite: DriverSuite, named: string | undefined): Promise<string> {
  const variable = `DRIVER_SOURCE_${suite.name.toUpperCase().replaceAll('-', '_')}`;
  const directory = named ?? process.env[variable];
  if (directory !== undefined) {
    if (!existsSync(directory)) throw new Error(`there is no folder ${directory}`);
    return resolve(directory);
  }
  if (suite.debianSource === null) {
    throw new Error(`where is a checkout of ${suite.title}? Name it by --source or ${variable}`);
  }
  return fetchFromDebian(suite.debianSource, suite.debianPaths ?? []);
}

async function fetchFromDebian(name: string, paths: readonly string[]): Promise<string> {
  const wanted = join(cache, name);
  if (existsSync(wanted)) return wanted;
  const work = join(cache, `${name}-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    await aptSource(name, work);
    const [tarball] = (await readdir(work)).filter((file) => /\.orig\.tar\.\w+$/.test(file));
    if (tarball === undefined) throw new Error(`the source package ${name} has no upstream tarball`);
    const unpacked = join(work, 'source');
    await mkdir(unpacked);
    await execFileAsync('tar', [
      '-xf',
      join(work, tarball),
      '-C',
      unpacked,
      '--strip-components=1',
      '--wildcards',
      ...(paths.length === 0 ? ['*'] : paths.map((path) => `*/${path}`)),
    ]);
    await rename(unpacked, wanted).catch((error) => {
      if (!existsSync(wanted)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return wanted;
}

/** Downloads a source package, with lists of its own: the machine's need not name the sources. */
async function aptSource(name: string, directory: string): Promise<void> {
  const lists = join(cache, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  const sources = join(directory, 'sources.list');
  await writeFile(sources, await debianSourcesLines());
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${lists}`,
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'Acquire::Languages=none',
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
  const isThere = (await readdir(lists)).some((file) => /_Sources/.test(file));
  if (!isThere) await execFileAsync('apt-get', [...options, '-qq', 'update']);
  await execFileAsync('apt-get', [...options, '-qq', '--download-only', '--tar-only', 'source', name], {
    cwd: directory,
  });
}

/** The archives of Debian that this machine installs packages from, as sources. */
async function debianSourcesLines(): Promise<string> {
  const format = '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)';
  const { stdout } = await execFileAsync('apt-get', [
    'indextargets',
    '--format',
    format,
    'Created-By: Packages',
  ]);
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = stdout.split('\n').flatMap((line) => {
    const [, archive] = /^Debian main (\S+ \S+)$/.exec(line) ?? [];
    // Not from the security archive: tests change little, and mirrors often lack its sources.
    return archive === undefined || archive.includes('-security')
      ? []
      : [`deb-src ${signed}${archive} main\n`];
  });
  if (lines.length === 0) throw new Error('apt-get knows no archive of Debian');
  return [...new Set(lines)].join('');
}
