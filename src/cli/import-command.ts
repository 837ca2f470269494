/** `sluice import proxysql`: a configuration from what ProxySQL was told, and a report of what is different. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseServerAddress } from '../../config/server-address.ts';
import { VariableCatalog } from '../control/runtime/variable-catalog.ts';
import { WrittenSettings } from '../control/runtime/written-settings.ts';
import { ExitCode } from './exit-code.ts';
import { readFileSource } from './import/file-source.ts';
import { ConfigSyntaxError } from './import/libconfig/config-syntax-error.ts';
import { ConfigFileError } from './import/libconfig/read-file.ts';
import { LiveSourceError, readLiveSource, SourceLayer } from './import/live-source.ts';
import { OutputError, writeFiles } from './import/output-files.ts';
import type { ProxySqlSource } from './import/proxysql-source.ts';
import { type TranslationOptions, translate } from './import/translate.ts';
import { writtenYaml } from './import/written-yaml.ts';
import type { Subcommand } from './subcommand.ts';
import { readSubcommandOptions, type SubcommandOptions } from './subcommand-options.ts';
import { readVersion } from './version.ts';

const PASSWORD_VARIABLE = 'SLUICE_IMPORT_PASSWORD';

const USAGE = `Usage: sluice import proxysql FILE [--output FILE] …
       sluice import proxysql --admin HOST:PORT [--output FILE] …

Makes a configuration of Sluice from a proxysql.cnf, or from the tables of a ProxySQL that runs, and says on standard
error what was taken, what means something else, what has no equivalent, and what to look at before it is used.
Nothing is changed in ProxySQL.

  -o, --output FILE      write the configuration there instead of on standard output, for its owner only
      --force            replace files that are there
      --secrets FOLDER   write each password to a file of its own there, and name it in the configuration
      --report FILE      write the report there as well

      --hostgroup N      a hostgroup of the cluster that is wanted, if there are several: a Sluice has one primary.
                         Otherwise the one that most accounts are for
      --same-cluster N,N hostgroups whose servers are of the same cluster, though ProxySQL is not told so
      --only-ruled-reads reads that no rule sends to a replica stay on the primary, as in ProxySQL

      --keep-files       keep certificates and logs whose files or folders are not on this machine

      --admin HOST:PORT  ProxySQL's admin port, with
      --user NAME        an account of admin-admin_credentials (admin)
      --password-file F  the file with its password (else ${PASSWORD_VARIABLE}, else the user's name)
      --layer LAYER      memory (default), runtime or disk
      --ca FILE          TLS, with the authority that signs the port's certificate
      --insecure         no TLS, though HOST is another machine

Exits with 0 when the configuration was written, 1 when ProxySQL cannot be asked or a file not be written, 2 when the
command line or the file is wrong, with the line and column.
`;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean' },
  secrets: { type: 'string' },
  report: { type: 'string' },
  hostgroup: { type: 'string' },
  'same-cluster': { type: 'string' },
  'only-ruled-reads': { type: 'boolean' },
  'keep-files': { type: 'boolean' },
  admin: { type: 'string' },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  layer: { type: 'string' },
  ca: { type: 'string' },
  insecure: { type: 'boolean' },
} as const;
const LIVE_ONLY = ['user', 'password-file', 'layer', 'ca', 'insecure'] as const;

/** What is wrong with the command line. */
class UsageError extends Error {}

function isLayer(word: string): word is SourceLayer {
  return Object.hasOwn(SourceLayer, word);
}

function hostgroupOf(flag: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text.trim())) return Number(text);
  throw new UsageError(`--${flag} needs the number of a hostgroup`);
}

function translationOptions({ values, switches }: SubcommandOptions): TranslationOptions {
  const { hostgroup, 'same-cluster': same } = values;
  return {
    hostgroup: hostgroup === undefined ? null : hostgroupOf('hostgroup', hostgroup),
    sameCluster: (same ?? '')
      .split(',')
      .filter((part) => part !== '')
      .map((part) => hostgroupOf('same-cluster', part)),
    onlyRuledReads: switches.has('only-ruled-reads'),
    keepsFiles: switches.has('keep-files'),
  };
}

function livePassword(file: string | undefined, username: string): string {
  if (file === undefined) return process.env[PASSWORD_VARIABLE] || username;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`${file}: the password cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function liveSource(admin: string, { values, switches }: SubcommandOptions): Promise<ProxySqlSource> {
  const address = parseServerAddress(admin);
  if (!address.ok) throw new UsageError(`--admin: ${address.message}`);
  const { user: username = 'admin', layer = SourceLayer.memory, ca = null } = values;
  if (!isLayer(layer)) throw new UsageError(`--layer needs one of ${Object.keys(SourceLayer).join(', ')}`);
  const { host } = address;
  // The port of a server is the default of an address, and not that of ProxySQL's admin port.
  const port = /:[0-9]+$/.test(admin) ? address.port : 6032;
  const password = livePassword(values['password-file'], username);
  return readLiveSource({ host, port, username, password, layer, ca, insecure: switches.has('insecure') });
}

/** @throws UsageError; what reading throws */
async function sourceOf(options: SubcommandOptions): Promise<ProxySqlSource> {
  const [what, file, ...more] = options.operands;
  const { admin } = options.values;
  if (what !== 'proxysql') throw new UsageError('import needs to know from what: import proxysql');
  if (more.length > 0)
    throw new UsageError('import proxysql takes one file; others are read by its @include');
  if (admin !== undefined && file !== undefined) throw new UsageError('a file or --admin, not both');
  if (admin !== undefined) return liveSource(admin, options);
  if (file === undefined) throw new UsageError('import proxysql needs a file, or --admin HOST:PORT');
  const stray = LIVE_ONLY.find((flag) => Object.hasOwn(options.values, flag) || options.switches.has(flag));
  if (stray !== undefined) throw new UsageError(`--${stray} is for --admin HOST:PORT`);
  return readFileSource(file);
}

async function importProxySql(options: SubcommandOptions): Promise<void> {
  const wanted = translationOptions(options);
  const source = await sourceOf(options);
  const catalog = new VariableCatalog(readVersion());
  const { config, report } = await translate(source, wanted, catalog);
  const { output, secrets, report: reportFile } = options.values;
  const head = [`Made by \`sluice import proxysql\` from ${source.name}.`];
  const folder = secrets === undefined ? null : resolve(secrets);
  const yaml = writtenYaml(config, new WrittenSettings(catalog), folder, head);
  const text = report.text(source.name);
  writeFiles({
    secrets:
      folder === null
        ? []
        : yaml.secrets.map(({ name, content }) => ({ path: `${folder}/${name}`, content })),
    folder,
    files: [
      ...(output === undefined ? [] : [{ path: output, content: yaml.text }]),
      ...(reportFile === undefined ? [] : [{ path: reportFile, content: text }]),
    ],
    replaces: options.switches.has('force'),
  });
  if (output === undefined) process.stdout.write(yaml.text);
  process.stderr.write(text);
}

function complain(message: string): void {
  process.stderr.write(
    `${message
      .split('\n')
      .map((line) => `sluice: ${line}\n`)
      .join('')}`,
  );
}

async function run(args: readonly string[]): Promise<number> {
  const options = readSubcommandOptions(args, OPTIONS);
  if (options.problems.length > 0) {
    complain([...options.problems, 'see sluice import --help'].join('\n'));
    return ExitCode.badConfiguration;
  }
  try {
    await importProxySql(options);
    return ExitCode.ok;
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}\nsee sluice import --help`);
    else if (
      error instanceof ConfigSyntaxError ||
      error instanceof ConfigFileError ||
      error instanceof LiveSourceError ||
      error instanceof OutputError
    )
      complain(error.message);
    else throw error;
    return error instanceof LiveSourceError || error instanceof OutputError
      ? ExitCode.failed
      : ExitCode.badConfiguration;
  }
}

export const importCommand: Subcommand = { usage: USAGE, run };
