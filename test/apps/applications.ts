/** The applications, how each is started, and what has to be on the machine for it. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { findProgramIfAny } from '../support/find-program.ts';
import { nodeProgram } from '../support/node-program.ts';
import type { AppCommand } from './app-program.ts';

export interface Application {
  /** Names its folder's schemas, so it is a plain identifier. */
  readonly name: string;
  readonly runtime: RuntimeName;
  /** Relative to test/apps. */
  readonly file: string;
  /** In front of the file. */
  readonly options?: readonly string[];
  /** A file that must be there besides the runtime, and the Debian package that has it. */
  readonly needs?: { readonly path: string; readonly package: string };
  /** Both, unless told. */
  readonly flavors?: readonly ServerFlavor[];
  readonly nightly?: boolean;
}

/** Programs in the order in which they are looked for. Debian's Python packages are for Debian's Python. */
const RUNTIMES = {
  node: [],
  python: ['/usr/bin/python3'],
  ruby: ['/usr/bin/ruby'],
  php: ['/usr/bin/php'],
  java: ['java'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type RuntimeName = keyof typeof RUNTIMES;

const JDBC_DRIVER = '/usr/share/java/mariadb-java-client.jar';
const PHP_MYSQL = { path: '/usr/share/doc/php-mysql', package: 'php-mysql' };

export const APPLICATIONS: readonly Application[] = [
  { name: 'sequelize', runtime: 'node', file: 'sequelize/app.ts' },
  { name: 'typeorm', runtime: 'node', file: 'typeorm/app.ts' },
  { name: 'knex', runtime: 'node', file: 'knex/app.ts' },
  { name: 'django', runtime: 'python', file: 'django/app.py', needs: python('python3-django', 'django') },
  {
    name: 'sqlalchemy',
    runtime: 'python',
    file: 'sqlalchemy/app.py',
    needs: python('python3-sqlalchemy', 'sqlalchemy'),
  },
  {
    name: 'activerecord',
    runtime: 'ruby',
    file: 'activerecord/app.rb',
    needs: { path: '/usr/share/doc/ruby-activerecord', package: 'ruby-activerecord' },
  },
  {
    name: 'doctrine',
    runtime: 'php',
    file: 'doctrine/app.php',
    needs: { path: '/usr/share/php/Doctrine/ORM', package: 'php-doctrine-orm' },
  },
  { name: 'pdo', runtime: 'php', file: 'php/pdo.php', needs: PHP_MYSQL },
  {
    name: 'jdbc',
    runtime: 'java',
    file: 'jdbc/App.java',
    options: ['-Dfile.encoding=UTF-8', '-cp', JDBC_DRIVER],
    needs: { path: JDBC_DRIVER, package: 'libmariadb-java' },
    nightly: true,
  },
  { name: 'mysqli', runtime: 'php', file: 'php/mysqli.php', needs: PHP_MYSQL },
];

function python(name: string, folder: string): { path: string; package: string } {
  return { path: `/usr/lib/python3/dist-packages/${folder}`, package: name };
}

/** Its command, or why it cannot run here. */
export async function commandOf(application: Application): Promise<AppCommand | string> {
  const file = fileURLToPath(new URL(application.file, import.meta.url));
  const program = await findRuntime(application.runtime);
  if (program === null) return `${application.runtime} is not installed`;
  const { needs } = application;
  if (needs !== undefined && !existsSync(needs.path)) return `the package ${needs.package} is not installed`;
  return {
    program,
    args: [...(application.options ?? []), file],
    env: { PYTHONDONTWRITEBYTECODE: '1', TZ: 'UTC' },
  };
}

async function findRuntime(runtime: RuntimeName): Promise<string | null> {
  if (runtime === 'node') return nodeProgram();
  const [wanted] = RUNTIMES[runtime];
  if (wanted.startsWith('/')) return existsSync(wanted) ? wanted : null;
  return findProgramIfAny([wanted]);
}
