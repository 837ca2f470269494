import type { DriverSuite } from './driver-suite.ts';
import { goSqlDriver } from './suites/go.ts';
import { mariadbNodejs } from './suites/mariadb-nodejs.ts';
import { mysql2 } from './suites/mysql2.ts';
import { mysqljs } from './suites/mysqljs.ts';
import { dbdMariadb, dbdMysql } from './suites/perl-dbi.ts';
import { phpMysql } from './suites/php.ts';
import { mysqlclient, pymysql } from './suites/python.ts';
import { rubyMysql2 } from './suites/ruby.ts';

export const suites: readonly DriverSuite[] = [
  mysql2,
  mysqljs,
  mariadbNodejs,
  pymysql,
  mysqlclient,
  phpMysql,
  dbdMysql,
  dbdMariadb,
  rubyMysql2,
  goSqlDriver,
];
