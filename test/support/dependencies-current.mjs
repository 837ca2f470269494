/**
 * Tells whether node_modules holds what package-lock.json names, by comparing it with the list that npm keeps in
 * node_modules. Exit code 0: it does; 1: it does not, with the reason on stdout. Contents are compared rather than
 * times, because a checkout touches files that have not changed. Runs on any Node, before anything is installed.
 */
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

function packagesOf(file) {
  return JSON.parse(readFileSync(new URL(file, root), 'utf8')).packages;
}

function reasonToInstall() {
  if (!existsSync(new URL('node_modules/.package-lock.json', root))) return 'there is no node_modules';
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf('node_modules/.package-lock.json');
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const installed = present[path];
    // An optional package is left out where its platform is another one.
    if (installed === undefined && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (installed === undefined) return `${path} is missing`;
    if (installed.version !== entry.version || installed.integrity !== entry.integrity) {
      return `${path} is ${installed.version}, package-lock.json names ${entry.version}`;
    }
    if (!existsSync(new URL(`${path}/package.json`, root))) return `${path} is incomplete`;
  }
  return null;
}

const reason = reasonToInstall();
if (reason !== null) {
  console.log(reason);
  process.exitCode = 1;
}
