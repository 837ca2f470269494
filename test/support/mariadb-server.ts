import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DataDirTemplate } from './data-dir-template.ts';
import { DatabaseServer } from './database-server.ts';
import { findProgram } from './find-program.ts';

const execFileAsync = promisify(execFile);

let versionText: Promise<string> | null = null;

/** The MariaDB server of this machine, with an empty data directory; root has no password. */
export class MariadbServer extends DatabaseServer {
  readonly flavor = ServerFlavor.mariadb;

  /** e.g. `10.11.19` */
  static async version(): Promise<string> {
    versionText ??= mariadbd()
      .then((program) => execFileAsync(program, ['--version']))
      .then(({ stdout }) => /Ver ([0-9.]+)-MariaDB/.exec(stdout)?.[1] ?? 'unknown');
    return versionText;
  }

  protected override async command(): Promise<{
    program: string;
    args: readonly string[];
    template: DataDirTemplate;
  }> {
    return {
      program: await mariadbd(),
      args: [
        '--no-defaults',
        '--innodb-log-file-size=8M',
        '--aria-pagecache-buffer-size=8M',
        '--key-buffer-size=1M',
      ],
      template: { key: `mariadb-${await MariadbServer.version()}`, initialise },
    };
  }
}

function mariadbd(): Promise<string> {
  return findProgram(['mariadbd', 'mysqld']);
}

async function initialise(dataDir: string, temporaryDirectory: string): Promise<void> {
  const installer = await findProgram(['mariadb-install-db', 'mysql_install_db']);
  await execFileAsync(installer, [
    '--no-defaults',
    `--datadir=${dataDir}`,
    `--tmpdir=${temporaryDirectory}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    '--innodb-log-file-size=8M',
  ]);
}
