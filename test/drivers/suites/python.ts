import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DriverSuite, SuiteRun, TestResult } from '../driver-suite.ts';
import { DEBIAN_PYTHON, runPytest } from './pytest.ts';

/** The tests of Debian's source package, with the module that Debian has built. */
export const mysqlclient: DriverSuite = {
  name: 'mysqlclient',
  title: 'mysqlclient (Python, libmariadb)',
  debianSource: 'python-mysqldb',
  debianPaths: ['tests/*', 'PKG-INFO'],
  check: { program: DEBIAN_PYTHON, args: ['-c', 'import MySQLdb, pytest'] },
  flavors: ['mariadb', 'mysql'],
  version: async (source) =>
    /^Version: (\S+)/m.exec(await readFile(join(source, 'PKG-INFO'), 'utf8'))?.[1] ?? 'unknown',
  fileOf: (test) => test.replace(/\..*/s, '.py'),
  run: runMysqlclient,
};

/** A checkout of the repository; the driver is pure Python, and that of the checkout is tested. */
export const pymysql: DriverSuite = {
  name: 'pymysql',
  title: 'PyMySQL (Python)',
  debianSource: null,
  flavors: ['mariadb', 'mysql'],
  setupSql: () => ['CREATE DATABASE test2', 'ALTER DATABASE test CHARACTER SET utf8mb4'],
  version: async (source) => {
    const text = await readFile(join(source, 'pymysql/__init__.py'), 'utf8');
    return /^VERSION_STRING = "([^"]+)"/m.exec(text)?.[1] ?? 'unknown';
  },
  fileOf: (test) =>
    test
      .replace(/(\.test_\w+)\..*/s, '$1')
      .replaceAll('.', '/')
      .concat('.py'),
  run: runPymysql,
};

async function runMysqlclient(run: SuiteRun): Promise<readonly TestResult[]> {
  const { host, port, user, password, schema } = run.endpoint;
  await cp(join(run.source, 'tests'), run.workDirectory, { recursive: true });
  const options = { host, port, user, password, database: schema, 'default-character-set': 'utf8' };
  const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}`);
  await writeFile(join(run.workDirectory, 'default.cnf'), `[MySQLdb-tests]\n${lines.join('\n')}\n`);
  return runPytest({ cwd: run.workDirectory, paths: run.files });
}

async function runPymysql(run: SuiteRun): Promise<readonly TestResult[]> {
  const { host, port, user, password, schema } = run.endpoint;
  await cp(join(run.source, 'pymysql'), join(run.workDirectory, 'pymysql'), { recursive: true });
  const access = { host, port, user, password };
  const databases = [
    { ...access, database: schema, use_unicode: true, local_infile: true },
    { ...access, database: 'test2' },
    { user, password, host: 'localhost', database: 'test2', unix_socket: run.endpoint.socket },
  ];
  await writeFile(join(run.workDirectory, 'pymysql/tests/databases.json'), JSON.stringify(databases));
  return runPytest({ cwd: run.workDirectory, paths: run.files.length === 0 ? ['pymysql'] : run.files });
}
