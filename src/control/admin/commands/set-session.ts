import { nearestName } from '../../../../config/nearest-name.ts';
import { charsetNames, collationNamed, defaultCollationIdOf } from '../../../../protocol/index.ts';
import { AdminError, quoted } from '../admin-error.ts';
import { joinTokens, splitAtCommas, unquote } from '../admin-statement.ts';
import { clientVariableNames } from '../client-variables.ts';
import { type AdminCommand, AdminRole } from './command.ts';

/** What clients and drivers set when they connect, with the values that change nothing here; of others, any value. */
const CHECKED: ReadonlyMap<string, RegExp> = new Map([
  ['autocommit', /^(?:0|1|on|off|true|false)$/i],
  ['sql_auto_is_null', /^(?:0|1|on|off|true|false)$/i],
  ['sql_safe_updates', /^(?:0|1|on|off|true|false)$/i],
  ['sql_select_limit', /^(?:\d+|default)$/i],
  ['wait_timeout', /^(?:\d+|default)$/i],
  ['net_write_timeout', /^(?:\d+|default)$/i],
  ['character_set_results', /^(?:null|\w+)$/i],
  ['character_set_client', /^\w+$/],
  ['character_set_connection', /^\w+$/],
  ['collation_connection', /^\w+$/],
]);
/** Beside those that can be read. */
const SETTABLE: readonly string[] = [
  ...clientVariableNames(),
  'lc_time_names',
  'lock_wait_timeout',
  'max_statement_time',
  'profiling',
  'session_track_gtids',
  'session_track_state_change',
  'session_track_system_variables',
  'session_track_transaction_info',
  'sql_log_bin',
  'sql_notes',
  'sql_quote_show_create',
];
/** Tools keep old values in them, to set them back. */
const USER_VARIABLE = /^@[\w$.]+$/;
/** There are no transactions here whose character could be changed. */
const TRANSACTION =
  /^SET (?:SESSION |LOCAL )?TRANSACTION (?:ISOLATION LEVEL (?:READ COMMITTED|READ UNCOMMITTED|REPEATABLE READ|SERIALIZABLE)|READ ONLY|READ WRITE)$/i;
const SCOPE = /^(?:@@)?(?:(?:session|local)\s*[. ]\s*)?/i;

function acceptCharset(charset: string, collation: string | undefined): void {
  if (charset.toLowerCase() !== 'default' && defaultCollationIdOf(charset) === null) {
    const nearest = nearestName(charset, charsetNames());
    const hint = nearest === null ? '' : `, did you mean ${nearest}?`;
    throw new AdminError('wrongArgument', `Unknown character set ${quoted(charset)}${hint}`);
  }
  if (collation !== undefined && collationNamed(collation) === null) {
    throw new AdminError('wrongArgument', `Unknown collation ${quoted(collation)}`);
  }
}

function acceptAssignment(text: string): void {
  const equals = text.indexOf('=');
  if (equals < 1) throw new AdminError('syntax', `Expected SET name = value, not ${quoted(text)}`);
  const name = text.slice(0, equals).replace(/:$/, '').trim().replace(SCOPE, '').replaceAll('`', '');
  const written = text.slice(equals + 1).trim();
  const value = unquote(written);
  if (written === '') throw new AdminError('syntax', `Expected SET name = value, not ${quoted(text)}`);
  const allowed = CHECKED.get(name.toLowerCase());
  if (allowed?.test(value) === true || USER_VARIABLE.test(name)) return;
  if (allowed !== undefined) {
    throw new AdminError('wrongArgument', `Variable ${quoted(name)} cannot be set to ${quoted(value)}`);
  }
  if (SETTABLE.includes(name.toLowerCase())) return;
  const nearest = nearestName(name, [...CHECKED.keys(), ...SETTABLE]);
  const hint = nearest === null ? 'the configuration file has the settings' : `did you mean ${nearest}?`;
  throw new AdminError('syntax', `${quoted(name)} cannot be set here; ${hint}`);
}

/** The admin port always speaks utf8mb4, and keeps no variables: what would change nothing is accepted. */
export const setSession: AdminCommand = {
  name: 'SET',
  syntax: 'SET {NAMES charset | AUTOCOMMIT = n | …}',
  help: 'For drivers that send it: session variables that make no difference here are accepted',
  pattern:
    /^SET (?:(?:NAMES|CHARSET|CHARACTER SET) (\S+)(?: COLLATE (\S+))?$|(?!NAMES |CHAR(?:ACTER )?SET ).)/i,
  access: AdminRole.stats,
  changes: false,
  columns: [],
  execute: ({ match, statement }) => {
    if (TRANSACTION.test(statement.text)) return { kind: 'ok' };
    if (match[1] !== undefined) acceptCharset(unquote(match[1]), match[2] && unquote(match[2]));
    else for (const part of splitAtCommas(statement.tokens.slice(1))) acceptAssignment(joinTokens(part));
    return { kind: 'ok' };
  },
};
