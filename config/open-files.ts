/** Files with secrets in them that every user of the machine can get at: nothing is refused, but it is said. */
import { statSync } from 'node:fs';
import type { Config } from './schema.ts';
import type { SecretOrigin } from './secrets.ts';

const OTHERS_MAY_READ = 0o004;
const OTHERS_MAY_WRITE = 0o002;
/** There the mode is that of the orchestrator, and the folder is the container's own. */
const MOUNTED_SECRETS = /^(\/var)?\/run\/secrets\//;

/** What other users of the machine could do with a file; null if nothing. */
function openToOthers(path: string): string | null {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  const what = (mode & OTHERS_MAY_WRITE) !== 0 ? 'changed' : (mode & OTHERS_MAY_READ) !== 0 ? 'read' : null;
  if (what === null || MOUNTED_SECRETS.test(path)) return null;
  return `can be ${what} by every user of this machine (mode ${(mode & 0o777).toString(8)}): chmod 600`;
}

interface Files {
  readonly config: Config;
  readonly secretOrigins: ReadonlyMap<string, SecretOrigin>;
  /** The configuration's own; null where there is none. */
  readonly file: string | null;
  /** Settings whose secrets stand in it. */
  readonly inFile: readonly string[];
}

/** Paths of private keys, by setting; text in PEM is none. */
function keyFiles({ tls, backendTls, servers }: Config): [string, string][] {
  const keys: [string, string | null][] = [
    ['tls.key', tls.key],
    ['backendTls.key', backendTls.key],
    ...servers.map(({ tlsKey }, index): [string, string | null] => [`servers[${index}].tlsKey`, tlsKey]),
  ];
  return keys.flatMap(([path, key]): [string, string][] =>
    key === null || key.includes('-----BEGIN ') ? [] : [[path, key]],
  );
}

export function openFileWarnings({ config, secretOrigins, file, inFile }: Files): string[] {
  const secrets = [...secretOrigins].flatMap(([path, { kind, name }]): [string, string][] =>
    kind === 'file' ? [[path, name]] : [],
  );
  const warnings = [...secrets, ...keyFiles(config)].flatMap(([path, name]) => {
    const open = openToOthers(name);
    return open === null ? [] : [`${path}: the file ${name} ${open}`];
  });
  const open = file === null || inFile.length === 0 ? null : openToOthers(file);
  return open === null ? warnings : [...warnings, `${file} holds passwords (${inFile[0]}) and ${open}`];
}
