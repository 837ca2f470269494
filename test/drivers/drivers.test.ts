/**
 * Parts of drivers' own test suites, straight and through Sluice: those that Debian has both the driver and the suite
 * of. `run.ts` runs whole suites, and those of more drivers.
 */

// sluice-test: long timeout=360

import t from 'tap';
import { compareSuite } from './compare-suite.ts';
import type { DriverSuite } from './driver-suite.ts';
import { explain } from './known-differences.ts';
import { runProgram } from './run-program.ts';
import { findSource } from './source.ts';
import { dbdMysql } from './suites/perl-dbi.ts';
import { phpMysql } from './suites/php.ts';
import { mysqlclient } from './suites/python.ts';

const CHECK_TIMEOUT_MS = 20_000;

interface Part {
  readonly suite: DriverSuite;
  /** None: all of them. */
  readonly files: readonly string[];
  /** Fewer mean that the suite did not run as it should. */
  readonly atLeast: number;
}

const PARTS: readonly Part[] = [
  { suite: mysqlclient, files: [], atLeast: 70 },
  {
    suite: dbdMysql,
    files: ['t/29', 't/30', 't/31', 't/35p', 't/40b', 't/40n', 't/41', 't/50c', 't/76', 't/80', 't/81'],
    atLeast: 150,
  },
  {
    suite: phpMysql,
    files: [
      'ext/mysqli/tests/mysqli_change_user.phpt',
      'ext/mysqli/tests/mysqli_multi_query.phpt',
      'ext/mysqli/tests/mysqli_stmt_get_result_types.phpt',
      'ext/mysqli/tests/mysqli_stmt_send_long_data.phpt',
      'ext/mysqli/tests/mysqli_stmt_store_result.phpt',
      'ext/mysqli/tests/mysqli_stmt_multires.phpt',
      'ext/mysqli/tests/mysqli_warning_count.phpt',
      'ext/mysqli/tests/mysqli_get_warnings.phpt',
      'ext/mysqli/tests/mysqli_insert_id.phpt',
      'ext/mysqli/tests/mysqli_set_charset.phpt',
      'ext/pdo_mysql/tests/pdo_mysql_prepare_native.phpt',
      'ext/pdo_mysql/tests/pdo_mysql_stmt_multiquery.phpt',
      'ext/pdo_mysql/tests/pdo_mysql_stmt_nextrowset.phpt',
      'ext/pdo_mysql/tests/pdo_mysql_last_insert_id.phpt',
    ],
    atLeast: 10,
  },
];

for (const { suite, files, atLeast } of PARTS) {
  t.test(suite.title, async (t) => {
    const missing = await whatIsMissing(suite);
    if (missing !== null) {
      t.comment(missing);
      t.pass('skipped', { skip: missing });
      return;
    }
    const comparison = await compareSuite({
      suite,
      flavor: 'mariadb',
      source: await findSource(suite, undefined),
      files,
      replicas: 1,
      straightRuns: 1,
      log: (line) => t.comment(line),
    });
    t.ok(comparison.passedStraight >= atLeast, `${comparison.passedStraight} tests pass straight`);
    const explained = await explain(suite.name, 'mariadb', comparison.differences);
    const unexplained = explained.filter(({ reason }) => reason === null);
    t.same(unexplained, [], 'these tests pass through Sluice');
  });
}

/** Why the suite cannot run here, or null: its language may be missing, or no archive have its source. */
async function whatIsMissing(suite: DriverSuite): Promise<string | null> {
  if (suite.check !== undefined) {
    const { program, args } = suite.check;
    const end = await runProgram({ program, args, cwd: '/', timeoutMs: CHECK_TIMEOUT_MS }).catch(() => null);
    if (end?.code !== 0) return `what ${suite.title} needs is not installed: sh test/support/setup.sh tests`;
  }
  return findSource(suite, undefined).then(
    () => null,
    (error: Error) => `the source of ${suite.title} cannot be had: ${error.message.split('\n').at(0)}`,
  );
}
