/** `proxysql.cnf` as ProxySQL understands it: which groups are variables, which lists are tables. */
import type { SqlValue } from '../../common/admin-tables/admin-table.ts';
import { ConfigSyntaxError, type Place } from './libconfig/config-syntax-error.ts';
import { ConfigFileError, readSettingsFile } from './libconfig/read-file.ts';
import type { Scalar, Setting, Value } from './libconfig/tree.ts';
import {
  DEFAULT_DATADIR,
  type OtherSetting,
  type ProxySqlSource,
  type SourceRow,
  type SourceVariable,
} from './proxysql-source.ts';
import { FOREIGN_TABLES, isNumberColumn, KNOWN_TABLES } from './source-tables.ts';

const VARIABLES_SUFFIX = '_variables';

/** Names of lists that are not those of the tables. */
const LIST_NAMES: ReadonlyMap<string, string> = new Map([['restapi', 'restapi_routes']]);

/** By table, names of the file that are not those of the columns. */
const COLUMN_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mysql_servers: { address: 'hostname', hostgroup: 'hostgroup_id' },
  proxysql_servers: { address: 'hostname' },
  restapi_routes: { interval_ms: 'timeout_ms' },
};

/** What a file leaves out means something else than in the table. */
const FILE_DEFAULTS: Readonly<Record<string, Readonly<Record<string, SqlValue>>>> = {
  mysql_query_rules: { active: 1 },
  mysql_aws_aurora_hostgroups: { check_timeout_ms: 1000 },
};

/** The file itself is named once, at the top of the report. */
function shortPlace({ file, line }: Place, main: string): string {
  return file === main ? `line ${line}` : `${file}:${line}`;
}

function shapeProblem(setting: Setting, expected: string): ConfigSyntaxError {
  return new ConfigSyntaxError(setting.value.place, `${setting.name} must be ${expected}`);
}

function scalarText(value: Scalar): string {
  return String(value);
}

/** Switches are numbers in tables, and numbers may stand in quotes. */
function columnValue(table: string, column: string, value: Scalar): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (FOREIGN_TABLES.includes(table)) return scalarText(value);
  if (typeof value !== 'string' && !isNumberColumn(table, column)) return scalarText(value);
  return value;
}

function rowOf(table: string, item: Value, main: string): SourceRow {
  const { place } = item;
  if (item.kind !== 'group')
    throw new ConfigSyntaxError(place, `an element of ${table} must be a group, { … }`);
  const aliases = COLUMN_NAMES[table] ?? {};
  const values = new Map<string, SqlValue>(Object.entries(FILE_DEFAULTS[table] ?? {}));
  for (const setting of item.settings) {
    if (setting.value.kind !== 'scalar') throw shapeProblem(setting, 'a text or a number');
    const column = aliases[setting.name] ?? setting.name;
    values.set(column, columnValue(table, column, setting.value.value));
  }
  return { values, place: shortPlace(place, main) };
}

class FileReader {
  readonly tables = new Map<string, readonly SourceRow[]>();
  readonly variables = new Map<string, SourceVariable>();
  readonly others: OtherSetting[] = [];
  datadir = DEFAULT_DATADIR;
  readonly #main: string;

  constructor(main: string) {
    this.#main = main;
  }

  read(setting: Setting): void {
    const { name, value, place } = setting;
    const table = LIST_NAMES.get(name) ?? name;
    if (name.endsWith(VARIABLES_SUFFIX)) {
      this.#variables(name.slice(0, -VARIABLES_SUFFIX.length), setting);
    } else if (KNOWN_TABLES.includes(table) || FOREIGN_TABLES.includes(table)) {
      if (value.kind !== 'list') throw shapeProblem(setting, 'a list of groups, ( { … }, { … } )');
      this.tables.set(
        table,
        value.items.map((item) => rowOf(table, item, this.#main)),
      );
    } else {
      if (name === 'datadir' && value.kind === 'scalar') this.datadir = scalarText(value.value);
      this.others.push({ name, place: shortPlace(place, this.#main) });
    }
  }

  #variables(prefix: string, setting: Setting): void {
    if (setting.value.kind !== 'group') throw shapeProblem(setting, 'a group, { … }');
    for (const each of setting.value.settings) {
      if (each.value.kind !== 'scalar') throw shapeProblem(each, 'a text, a number, true or false');
      const place = shortPlace(each.place, this.#main);
      this.variables.set(`${prefix}-${each.name}`, { value: scalarText(each.value.value), place });
    }
  }
}

/** @throws ConfigFileError, ConfigSyntaxError */
export function readFileSource(file: string): ProxySqlSource {
  const { settings, files } = readSettingsFile(file);
  const reader = new FileReader(file);
  for (const setting of settings) reader.read(setting);
  const { tables, variables, others, datadir } = reader;
  if (tables.size === 0 && variables.size === 0)
    throw new ConfigFileError(`${file}: there is nothing of ProxySQL in it, neither a table nor a variable`);
  const more = files.length === 1 ? '' : ` and ${files.length - 1} included`;
  return { name: `${file}${more}`, tables, variables, others, datadir, holdsDefaults: false };
}
