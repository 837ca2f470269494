/** Classifies one statement by its first word. */

import { classifyDdl, classifyFlush } from './classify-ddl.ts';
import { type ClassifyInput, classifyQuery, scanSafety } from './classify-read.ts';
import { classifySet } from './classify-set.ts';
import { classifyExplain, classifyShow, mainVerb } from './classify-show.ts';
import { TokenKind } from './lexer.ts';
import { handlerChange, namedChange, statementName } from './named-change.ts';
import { namesOwnVariable } from './sluice-variables.ts';
import { ClassReason, PinReason, StatementKind } from './statement-class.ts';
import { StatementDraft } from './statement-draft.ts';
import {
  behindModifiers,
  deleteWrites,
  insertTarget,
  loadWrites,
  plain as plainTables,
  readTables,
  updateWrites,
  wordIndex,
} from './written-tables.ts';

type Classifier = (input: ClassifyInput, draft: StatementDraft, from: number, to: number) => void;

/** Classifies `[from, to)`, which holds at least one token. */
export function classifyStatement(input: ClassifyInput, from: number, to: number): StatementDraft {
  const { tokens } = input;
  let verb = tokens.text(from);
  if (verb === 'WITH') verb = mainVerb(input, from, to);
  else if (verb === '(') verb = 'SELECT';
  const draft = new StatementDraft(StatementKind.other, verb);
  const classifier = CLASSIFIERS.get(verb);
  if (classifier === undefined || tokens.kind(from + 1) === TokenKind.assign) {
    // A label, a compound statement, a statement of a newer server.
    draft.assumeAnything(ClassReason.notARead, verb);
  } else classifier(input, draft, from, to);
  if (tokens.kind(to - 1) === TokenKind.malformed) draft.assumeAnything(ClassReason.malformed, '');
  draft.ownVariables = namesOwnVariable(tokens, from, to);
  noteUserVariables(input, draft, from, to);
  return draft;
}

function noteUserVariables({ tokens }: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (tokens.kind(i) !== TokenKind.userVariable) continue;
    const before = tokens.text(i - 1);
    const behind = tokens.text(i + 1);
    const isTarget =
      draft.kind === StatementKind.set &&
      (behind === '=' || behind === ':=') &&
      (i === from + 1 || before === ',');
    draft.addUserVariable(tokens.raw(i), isTarget);
  }
}

function read(classifier: Classifier): Classifier {
  return (input, draft, from, to) => {
    draft.kind = StatementKind.read;
    classifier(input, draft, from, to);
  };
}

/** Not a read, without anything of its own to find out. It changes no table. */
function plain(kind: StatementKind, pins: readonly PinReason[] = []): Classifier {
  return (_input, draft) => {
    draft.writes = [];
    draft.kind = kind;
    draft.object(ClassReason.notARead, draft.command);
    draft.mayWrite = true;
    for (const pin of pins) draft.pins.add(pin);
  };
}

/** INSERT, REPLACE: the target with its columns looks like a call and is none. */
function insert(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const verb = verbIndex(input, draft, from, to);
  const { at, table } = insertTarget(input, verb, to);
  draft.mayBeDeferred = wordIndex(input.tokens, verb, at, 'DELAYED') < at;
  const behind = input.tokens.text(at + 1) === '.' ? at + 3 : at + 1;
  if (table !== null) draft.addTable(table.schema, table.table);
  const before = scanSafety(input, draft, from, at);
  const rest = scanSafety(input, draft, behind, to);
  const isKnown = verb === from && !before.calledStored && !rest.calledStored;
  if (table !== null && readTables(input, draft, behind, to) && isKnown) draft.writes = plainTables([table]);
  notARead(draft, StatementKind.write, draft.command);
}

/** Of the statement's own verb: a WITH clause may stand before it. */
function verbIndex({ tokens }: ClassifyInput, draft: StatementDraft, from: number, to: number): number {
  return wordIndex(tokens, from, to, draft.command);
}

/** UPDATE, DELETE */
function written(find: typeof updateWrites): Classifier {
  return (input, draft, from, to) => {
    const verb = verbIndex(input, draft, from, to);
    const before = scanSafety(input, draft, from, verb);
    // `UPDATE (t, u)` is no call.
    const rest = scanSafety(input, draft, behindModifiers(input.tokens, verb), to);
    find(input, draft, from, verb, to);
    if (before.calledStored || rest.calledStored) draft.writes = null;
    notARead(draft, StatementKind.write, draft.command);
  };
}

function notARead(draft: StatementDraft, kind: StatementKind, detail: string): void {
  draft.kind = kind;
  draft.reason = ClassReason.notARead;
  draft.detail = detail;
  draft.mayWrite = true;
}

/** Whatever the scan finds besides pins, it is no read because it calls what may write. */
function call(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  scanSafety(input, draft, from, to);
  draft.pins.add(PinReason.storedRoutine);
  notARead(draft, StatementKind.call, draft.command);
}

/** DO: expressions, for what they do. */
function evaluate(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { calledStored } = scanSafety(input, draft, from, to);
  if (readTables(input, draft, from + 1, to) && !calledStored) draft.writes = [];
  notARead(draft, StatementKind.other, draft.command);
}

/** LOAD DATA … (@x) assigns; LOAD INDEX INTO CACHE does not concern us. */
function load(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  const isData = tokens.text(from + 1) === 'DATA' || tokens.text(from + 1) === 'XML';
  // Column lists look like calls: `INTO TABLE t (a, b)`, so only variables and the SET clause count.
  let set = to;
  for (let i = from; i < to; i++) {
    if (tokens.kind(i) === TokenKind.userVariable) draft.pins.add(PinReason.userVariable);
    if (tokens.text(i) === 'SET' && tokens.text(i - 1) !== 'CHARACTER') set = Math.min(set, i);
  }
  const { calledStored } = scanSafety(input, draft, set, to);
  if (isData && !calledStored) loadWrites(input, draft, from, to);
  notARead(draft, isData ? StatementKind.write : StatementKind.other, draft.command);
}

function transaction(kind: StatementKind): Classifier {
  return (_input, draft) => {
    draft.kind = kind;
    draft.object(ClassReason.notARead, draft.command);
    draft.writes = [];
    draft.transactionControl = true;
  };
}

/** BEGIN alone or with WORK starts a transaction; with anything else it starts a block. */
function begin(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  if (to - from === 1 || (to - from === 2 && input.tokens.text(from + 1) === 'WORK')) {
    transaction(StatementKind.begin)(input, draft, from, to);
  } else draft.assumeAnything(ClassReason.notARead, 'BEGIN');
}

function start(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  if (tokens.text(from + 1) !== 'TRANSACTION') {
    classifyDdl(input, draft, from, to);
    return;
  }
  draft.command = 'START_TRANSACTION';
  transaction(StatementKind.begin)(input, draft, from, to);
  let isReadOnly = false;
  let isReadWrite = false;
  for (let i = from + 2; i < to; i++) {
    if (tokens.text(i) !== 'READ') continue;
    isReadOnly ||= tokens.text(i + 1) === 'ONLY';
    isReadWrite ||= tokens.text(i + 1) === 'WRITE';
  }
  draft.beginReadOnly = isReadOnly && !isReadWrite;
}

function rollback(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  const word = tokens.text(from + 1);
  const isSavepoint = word === 'TO' || (word === 'WORK' && tokens.text(from + 2) === 'TO');
  if (isSavepoint) savepoint(input, draft);
  else transaction(StatementKind.rollback)(input, draft, from, to);
}

function savepoint(_input: ClassifyInput, draft: StatementDraft): void {
  draft.kind = StatementKind.savepoint;
  draft.writes = [];
  draft.object(ClassReason.notARead, draft.command);
}

/** LOCK TABLES, LOCK INSTANCE FOR BACKUP */
function lock(input: ClassifyInput, draft: StatementDraft, from: number): void {
  const isInstance = input.tokens.text(from + 1) === 'INSTANCE';
  locking(draft).pins.add(isInstance ? PinReason.backupLock : PinReason.lockTables);
  if (!isInstance) draft.kind = StatementKind.lockTables;
}

function unlock(input: ClassifyInput, draft: StatementDraft, from: number): void {
  const isInstance = input.tokens.text(from + 1) === 'INSTANCE';
  locking(draft).releases.add(isInstance ? PinReason.backupLock : PinReason.lockTables);
  if (!isInstance) draft.kind = StatementKind.unlockTables;
}

/** `BACKUP STAGE START … END`, `BACKUP LOCK t`, `BACKUP UNLOCK` */
function backup(input: ClassifyInput, draft: StatementDraft, from: number): void {
  const { tokens } = input;
  const word = tokens.text(from + 1);
  locking(draft);
  if (word === 'UNLOCK') draft.releases.add(PinReason.backupLock);
  else if (word === 'LOCK') draft.pins.add(PinReason.backupLock);
  else if (tokens.text(from + 2) === 'END') draft.releases.add(PinReason.backupStage);
  else draft.pins.add(PinReason.backupStage);
}

function locking(draft: StatementDraft): StatementDraft {
  draft.writes = [];
  draft.object(ClassReason.notARead, draft.command);
  draft.transactionControl = true;
  draft.mayWrite = true;
  return draft;
}

/** What is prepared with a name stays until that is deallocated, or prepared anew. */
function prepare(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  plain(StatementKind.prepare, [PinReason.textPrepare])(input, draft, from, to);
  draft.named = namedChange(PinReason.textPrepare, [statementName(input.tokens, from + 1)], []);
}

function deallocate(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  plain(StatementKind.prepare)(input, draft, from, to);
  draft.named = namedChange(PinReason.textPrepare, [], [statementName(input.tokens, from + 2)]);
}

/** A global transaction binds its session from START up to COMMIT or ROLLBACK; others' may be ended by anybody. */
function xa(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  plain(StatementKind.xa)(input, draft, from, to);
  // It may end the transaction of another session.
  draft.writes = null;
  const word = input.tokens.text(from + 1);
  if (word === 'COMMIT' || word === 'ROLLBACK') draft.releases.add(PinReason.xa);
  else if (word !== 'RECOVER') draft.pins.add(PinReason.xa);
}

/** EXECUTE runs what was prepared, and EXECUTE IMMEDIATE what it is given: that may leave anything behind. */
function execute(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  draft.assumeAnything(ClassReason.notARead, 'EXECUTE');
  draft.kind = StatementKind.prepare;
  if (input.tokens.text(from + 1) !== 'IMMEDIATE')
    draft.executes = statementName(input.tokens, from + 1)?.table ?? null;
  scanSafety(input, draft, from + 1, to);
}

function handler(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  plain(StatementKind.handler)(input, draft, from, to);
  for (let i = from + 1; i < to; i++) if (input.tokens.text(i) === 'OPEN') draft.pins.add(PinReason.handler);
  draft.named = handlerChange(input.tokens, from, to);
}

function analyze(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const word = input.tokens.text(from + 1);
  const isTable = word === 'TABLE' || word === 'TABLES' || word === 'LOCAL' || word === 'NO_WRITE_TO_BINLOG';
  if (isTable) classifyDdl(input, draft, from, to);
  else read(classifyExplain)(input, draft, from, to);
}

/** GET DIAGNOSTICS and the like assign to user variables. */
function diagnostics(_input: ClassifyInput, draft: StatementDraft): void {
  draft.object(ClassReason.notARead, draft.command);
  draft.residue.diagnostics = true;
  draft.writes = [];
  draft.pins.add(PinReason.userVariable);
}

function set(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  draft.kind = StatementKind.set;
  const inner = classifySet(input, draft, from, to);
  if (inner < 0) return;
  if (inner >= to) {
    draft.assumeAnything(ClassReason.notARead, 'SET STATEMENT');
    return;
  }
  const statement = classifyStatement(input, inner, to);
  draft.kind = statement.kind;
  draft.command = `SET_STATEMENT_${statement.command}`;
  draft.writes = draft.writes === null ? null : statement.writes;
  draft.mayWrite ||= statement.mayWrite;
  draft.transactionControl ||= statement.transactionControl;
  draft.changesViews ||= statement.changesViews;
  draft.changesRelations ||= statement.changesRelations;
  draft.mayBeDeferred = statement.mayBeDeferred;
  for (const pin of statement.pins) draft.pins.add(pin);
  for (const { schema, table } of statement.tables) draft.addTable(schema, table);
  for (const use of Object.keys(draft.residue) as (keyof typeof draft.residue)[]) {
    draft.residue[use] ||= statement.residue[use];
  }
}

/** It applies events, and sets up the connection for that. */
function binlog(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  plain(StatementKind.other, [PinReason.storedRoutine])(input, draft, from, to);
  draft.writes = null;
}

function use(_input: ClassifyInput, draft: StatementDraft): void {
  draft.kind = StatementKind.use;
  draft.writes = [];
  draft.object(ClassReason.notARead, 'USE');
}

const DDL = [
  'ALTER',
  'CACHE',
  'CHANGE',
  'CHECK',
  'CLONE',
  'CREATE',
  'DROP',
  'GRANT',
  'IMPORT',
  'INSTALL',
  'OPTIMIZE',
  'PURGE',
  'RENAME',
  'REPAIR',
  'RESET',
  'RESTART',
  'REVOKE',
  'SHUTDOWN',
  'STOP',
  'TRUNCATE',
  'UNINSTALL',
];

const CLASSIFIERS: ReadonlyMap<string, Classifier> = new Map<string, Classifier>([
  ['SELECT', read(classifyQuery)],
  ['VALUES', read(classifyQuery)],
  ['TABLE', read(classifyQuery)],
  ['SHOW', read(classifyShow)],
  ['DESCRIBE', read(classifyExplain)],
  ['DESC', read(classifyExplain)],
  ['EXPLAIN', read(classifyExplain)],
  ['ANALYZE', analyze],
  ['INSERT', insert],
  ['REPLACE', insert],
  ['UPDATE', written(updateWrites)],
  ['DELETE', written(deleteWrites)],
  ['LOAD', load],
  ...DDL.map((verb): [string, Classifier] => [verb, classifyDdl]),
  ['FLUSH', classifyFlush],
  ['BEGIN', begin],
  ['START', start],
  ['COMMIT', transaction(StatementKind.commit)],
  ['ROLLBACK', rollback],
  ['SAVEPOINT', savepoint],
  ['RELEASE', savepoint],
  ['SET', set],
  ['USE', use],
  ['CALL', call],
  ['DO', evaluate],
  ['LOCK', lock],
  ['UNLOCK', unlock],
  ['BACKUP', backup],
  ['PREPARE', prepare],
  ['EXECUTE', execute],
  ['DEALLOCATE', deallocate],
  ['KILL', plain(StatementKind.kill)],
  ['XA', xa],
  ['HANDLER', handler],
  ['GET', diagnostics],
  ['HELP', plain(StatementKind.other)],
  ['CHECKSUM', plain(StatementKind.other)],
  ['SIGNAL', plain(StatementKind.other)],
  ['RESIGNAL', plain(StatementKind.other)],
  ['BINLOG', binlog],
]);
