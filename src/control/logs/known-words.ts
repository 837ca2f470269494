/** Words of admin statements that are no value: of SQL, of commands, and names of tables and columns. */

import { ALL_TABLES } from '../../common/admin-tables/all-tables.ts';

const SQL = `abort action add after all alter always analyze and as asc attach autoincrement before begin between by
cascade case cast check collate column commit conflict constraint create cross current current_date current_time
current_timestamp database default deferrable deferred delete desc detach distinct do drop each else end escape except
exclude exclusive exists explain fail filter first following for foreign from full generated glob group groups having
if ignore immediate in index indexed initially inner insert instead intersect into is isnull join key last left like
limit match materialized natural no not nothing notnull null nulls of offset on or order others outer over partition
plan pragma preceding primary query raise range recursive references regexp reindex release rename replace restrict
returning right rollback row rows savepoint select set table temp temporary then ties to transaction trigger unbounded
union unique update using vacuum values view virtual when where window with without
abs avg coalesce concat count date datetime hex ifnull length lower ltrim max min nullif printf quote random round rtrim
strftime substr substring sum time total trim typeof unhex upper`;

const COMMANDS = `admin account backend checksum config connections disk drain firewall flush fields grant host hosts
identified inspect kill load log logs memory mem mysql password passwords proxysql pull route runtime run save scheduler
server servers shadow show sluice stats status switchover undrain use user users variable variables version version_id
global main monitor stats_history rules like to from promote diff history names session sessions`;

/** Lower case. */
export const KNOWN_WORDS: ReadonlySet<string> = new Set([
  ...SQL.split(/\s+/),
  ...COMMANDS.split(/\s+/),
  ...ALL_TABLES.flatMap(({ name, columns }) => [name, `runtime_${name}`, ...columns]).map((name) =>
    name.toLowerCase(),
  ),
]);
