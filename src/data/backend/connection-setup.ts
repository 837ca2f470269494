/**
 * What a connection is asked right after its handshake (or a reset), in one write: to report session state, and
 * what its variables and its schema are. Servers that cannot report are found out here.
 */

import { AnswerShape, Capability, Command, StatusFlag } from '../../../protocol/index.ts';
import { ER_MUST_CHANGE_PASSWORD } from '../../common/server-errno.ts';
import type { BackendConnection } from './backend-connection.ts';
import { discardSink, type ExpectedReply, type ReplyOwner } from './expected-reply.ts';
import { RECORDER_CAPABILITIES, type RecordedResult, RecordingReply } from './recording-reply.ts';
import { canonicalVariableName, NAMES_COLLATION, SessionVariables } from './session-variables.ts';
import { PROBED_VARIABLES, policyOf, VariablePolicy } from './variable-policy.ts';

const TRACKING =
  "SET session_track_schema=ON,session_track_state_change=ON,session_track_transaction_info='CHARACTERISTICS'" +
  ",session_track_system_variables='*'";
const TRACKING_OFF =
  'SET session_track_schema=DEFAULT,session_track_state_change=DEFAULT,session_track_transaction_info=DEFAULT' +
  ',session_track_system_variables=DEFAULT';

/**
 * Switches tracking on, or back to what a client finds on a server of its own.
 *
 * @param inTransaction or in what may be one: there MySQL refuses (1766) to change session_track_gtids, which stays
 */
export function trackingStatement(flavor: 'mysql' | 'mariadb', on: boolean, inTransaction: boolean): string {
  const common = on ? TRACKING : TRACKING_OFF;
  if (flavor !== 'mysql' || inTransaction) return common;
  return `${common},session_track_gtids=${on ? 'OWN_GTID' : 'DEFAULT'}`;
}

const NAMES = PROBED_VARIABLES.map((name) => `'${name}'`).join(',');
/** What init_connect names as well: a new session has it from there, and no reset brings it back. */
const WANTED = `Variable_name IN (${NAMES},'init_connect') OR INSTR(@@GLOBAL.init_connect, Variable_name) > 0`;
const PROBE = `SHOW SESSION VARIABLES WHERE ${WANTED}`;
const PROBE_GLOBAL = `SHOW GLOBAL VARIABLES WHERE ${WANTED}`;
const PROBED: ReadonlySet<string> = new Set(PROBED_VARIABLES.map(canonicalVariableName));
const USER_VARIABLE = /(^|[^@])@[^@]/;

const CHARACTER_SETS: ReadonlySet<string> = new Set([
  NAMES_COLLATION,
  'character_set_client',
  'character_set_connection',
  'character_set_results',
  'collation_connection',
]);

export interface SetupFound {
  readonly variables: SessionVariables;
  /** What COM_RESET_CONNECTION leaves. */
  readonly afterReset: SessionVariables;
  readonly schema: string | null;
  readonly tracksState: boolean;
  /** The server runs statements of its own at each login: what they do is lost at a reset. */
  readonly initConnect: InitConnect;
}

/** What the server's `init_connect` does to a session. It is taken for run even where SUPER lets the user go without. */
export const InitConnect = { none: 'none', runs: 'runs', setsUserVariables: 'setsUserVariables' } as const;
export type InitConnect = (typeof InitConnect)[keyof typeof InitConnect];

export interface SetupListener {
  done(found: SetupFound): void;
  failed(reason: string): void;
  /** In the server's own words: it lets the user in for nothing but to change an expired password. */
  refused(errno: number, message: string, tracksState: boolean): void;
}

export function setupReplies(connection: BackendConnection, reset: boolean, listener: SetupListener): void {
  const lost: SetupListener['failed'] = (reason) => listener.failed(reason);
  // Something between here and the server may have taken the capability away: then nothing is reported.
  let tracksState = (connection.capabilities & Capability.CLIENT_SESSION_TRACK) !== 0;
  let schema: string | null = null;
  if (reset) sendReset(connection, listener);
  const tracking = new RecordingReply((_, result) => {
    tracksState = result.errno === 0;
  }, lost);
  const isMysql = connection.server.flavor === 'mysql';
  if (tracksState) {
    const statement = trackingStatement(connection.server.flavor, true, false);
    send(connection, Command.COM_QUERY, statement, AnswerShape.query, tracking);
  }
  const database = new RecordingReply((_, result) => {
    if (result.errno !== 0 && result.errno !== ER_MUST_CHANGE_PASSWORD)
      listener.failed(`cannot read its schema: ${result.errno} ${result.errorMessage}`);
    schema = result.rows[0]?.[0] ?? null;
  }, lost);
  send(connection, Command.COM_QUERY, 'SELECT DATABASE()', AnswerShape.query, database);
  let globals: [string, string][] = [];
  const probeGlobal = new RecordingReply((_, result) => {
    globals = entriesOf(result);
  }, lost);
  send(connection, Command.COM_QUERY, PROBE_GLOBAL, AnswerShape.query, probeGlobal);
  const probe = new RecordingReply((_, result) => {
    if (result.errno === ER_MUST_CHANGE_PASSWORD) {
      listener.refused(result.errno, result.errorMessage, tracksState);
      return;
    }
    if (result.errno !== 0) {
      listener.failed(`cannot read its session variables: ${result.errno} ${result.errorMessage}`);
      return;
    }
    const initConnect = initConnectOf(globals);
    const names = namesInForce(entriesOf(result), globals);
    globals = globals.filter(([name]) => names.has(name));
    const variables = withNames(entriesOf(result).filter(([name]) => names.has(name)));
    // MariaDB goes back to the character set of the handshake, MySQL to the global one.
    const kept = isMysql ? [] : [...variables].filter(([name]) => CHARACTER_SETS.has(name));
    // First those that have no global value, as sql_log_bin on MySQL: they are what they are in a new session.
    const afterReset = SessionVariables.of(new Map([...variables, ...withNames(globals), ...kept]));
    const found = { variables: SessionVariables.of(variables), afterReset, schema, tracksState, initConnect };
    if (reset && schema !== null) enterSchemaAgain(connection, schema, listener, () => listener.done(found));
    else listener.done(found);
  }, lost);
  send(connection, Command.COM_QUERY, PROBE, AnswerShape.query, probe);
}

/**
 * At a reset MySQL 5.7 frees what listens for GTIDs, and takes it off the list only if the tracking of GTIDs is on just
 * then. Else the next commit on the connection tells a listener that is no more: the server itself crashes. A client
 * that has set `session_track_…` may have left it off; within a transaction it cannot be switched on again.
 */
function sendReset(connection: BackendConnection, listener: SetupListener): void {
  if (connection.server.flavor === 'mysql' && connection.tracksState) {
    const reply = new RecordingReply(
      (_, result) => {
        if (result.errno !== 0)
          listener.failed(`cannot prepare its reset: ${result.errno} ${result.errorMessage}`);
      },
      (reason) => listener.failed(reason),
    );
    if ((connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0)
      send(connection, Command.COM_QUERY, 'ROLLBACK', AnswerShape.query, reply);
    send(connection, Command.COM_QUERY, 'SET session_track_gtids=OWN_GTID', AnswerShape.query, reply);
  }
  send(connection, Command.COM_RESET_CONNECTION, '', AnswerShape.single, resetOwner(listener));
}

/**
 * COM_RESET_CONNECTION leaves the schema and yet takes its character set and collation away on MariaDB: the global ones
 * are in `@@character_set_database` and `@@collation_database` then.
 */
function enterSchemaAgain(
  connection: BackendConnection,
  schema: string,
  listener: SetupListener,
  entered: () => void,
): void {
  const reply = new RecordingReply(
    (_, result) => {
      if (result.errno === 0) entered();
      else listener.failed(`cannot use its schema again: ${result.errno} ${result.errorMessage}`);
    },
    (reason) => listener.failed(reason),
  );
  send(connection, Command.COM_INIT_DB, schema, AnswerShape.single, reply);
}

function entriesOf(result: RecordedResult): [string, string][] {
  return result.rows.map(([name, value]) => [canonicalVariableName(name ?? ''), value ?? '']);
}

/**
 * Of what init_connect names only what it has changed: the words in it may be names of variables by chance, of such
 * too that nobody can set.
 */
function namesInForce(
  session: readonly [string, string][],
  globals: readonly [string, string][],
): ReadonlySet<string> {
  const global = new Map(globals);
  const changed = session.filter(
    ([name, value]) =>
      policyOf(name) === VariablePolicy.carried && global.has(name) && global.get(name) !== value,
  );
  return new Set([...PROBED, ...changed.map(([name]) => name)]);
}

function initConnectOf(globals: readonly [string, string][]): InitConnect {
  const text = globals.find(([name]) => name === 'init_connect')?.[1] ?? '';
  if (text.trim() === '') return InitConnect.none;
  return USER_VARIABLE.test(text) ? InitConnect.setsUserVariables : InitConnect.runs;
}

/** The handshake sets the character sets as SET NAMES does. */
function withNames(entries: readonly [string, string][]): Map<string, string> {
  const values = new Map(entries);
  const collation = values.get('collation_connection');
  if (collation !== undefined) values.set(NAMES_COLLATION, collation);
  return values;
}

function send(
  connection: BackendConnection,
  command: number,
  text: string,
  shape: AnswerShape,
  owner: ReplyOwner & Partial<ExpectedReply['sink']>,
): void {
  const sink = owner instanceof RecordingReply ? owner : discardSink;
  connection.sendCommand(command, text, {
    shape,
    owner,
    sink,
    clientCapabilities: RECORDER_CAPABILITIES,
    statusBefore: 0,
    repeatable: false,
  });
}

function resetOwner(listener: SetupListener): ReplyOwner {
  return {
    replyComplete: (_connection, tracker) => {
      if (tracker.errno !== 0) listener.failed(`COM_RESET_CONNECTION failed with ${tracker.errno}`);
    },
    replyLost: (_connection, reason) => listener.failed(reason),
  };
}
