/** What ProxySQL is configured to do, in its own words: of a file, or of the tables of one that runs. */
import type { SqlValue } from '../../common/admin-tables/admin-table.ts';

export interface SourceRow {
  /** By ProxySQL's name of the column; what is not given has the default. */
  readonly values: ReadonlyMap<string, SqlValue>;
  /** `proxysql.cnf:12`; '' where there is none. */
  readonly place: string;
}

export interface SourceVariable {
  readonly value: string;
  readonly place: string;
}

/** A setting of neither a table nor a variable, such as `errorlog`. */
export interface OtherSetting {
  readonly name: string;
  readonly place: string;
}

export interface ProxySqlSource {
  /** What it is called in the report. */
  readonly name: string;
  /** Those of the tables that ProxySQL is configured by. */
  readonly tables: ReadonlyMap<string, readonly SourceRow[]>;
  /** `mysql-threads`, `admin-version`, … */
  readonly variables: ReadonlyMap<string, SourceVariable>;
  readonly others: readonly OtherSetting[];
  /** The folder that ProxySQL keeps its files in, and relative names are in. */
  readonly datadir: string;
  /** A file has only what somebody has written; of tables, what is as ProxySQL's default says nothing. */
  readonly holdsDefaults: boolean;
}

export const DEFAULT_DATADIR = '/var/lib/proxysql';
