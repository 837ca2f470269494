/** Statements that change definitions, and the pins and follow-ups that some of them bring. */

import { type ClassifyInput, scanSafety } from './classify-read.ts';
import { namedChange, statementName, temporaryTableChange } from './named-change.ts';
import { ClassReason, PinReason, StatementKind } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import { changesRelations, ddlWrites } from './written-by-ddl.ts';

const OBJECTS: ReadonlySet<string> = new Set([
  'DATABASE',
  'EVENT',
  'FUNCTION',
  'INDEX',
  'INSTANCE',
  'LOGFILE',
  'PACKAGE',
  'PREPARE',
  'PROCEDURE',
  'RESOURCE',
  'ROLE',
  'SCHEMA',
  'SEQUENCE',
  'SERVER',
  'SPATIAL',
  'TABLE',
  'TABLES',
  'TABLESPACE',
  'TRIGGER',
  'UNDO',
  'USER',
  'VIEW',
]);
/** Their definitions contain statements, with semicolons. */
const WITH_BODY: ReadonlySet<string> = new Set(['EVENT', 'FUNCTION', 'PACKAGE', 'PROCEDURE', 'TRIGGER']);
/** How far behind CREATE the kind of object may stand: OR REPLACE, ALGORITHM, DEFINER, SQL SECURITY … */
const OBJECT_WITHIN = 24;

/** The kind of object that a CREATE, ALTER, DROP, RENAME … at `from` is about, or ''. */
function objectOf(input: ClassifyInput, from: number, to: number): string {
  const { tokens } = input;
  const last = Math.min(to, from + OBJECT_WITHIN);
  for (let i = from + 1; i < last; i++) {
    const text = tokens.text(i);
    if (OBJECTS.has(text) && tokens.text(i - 1) !== '.') return text;
  }
  return '';
}

/** Whether the text from `from` on is one statement whatever semicolons it holds. */
export function hasBody(input: ClassifyInput, from: number, to: number): boolean {
  const verb = input.tokens.text(from);
  return (verb === 'CREATE' || verb === 'ALTER') && WITH_BODY.has(objectOf(input, from, to));
}

/** CREATE, ALTER, DROP, RENAME, TRUNCATE and all else that commits implicitly. */
export function classifyDdl(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  const verb = tokens.text(from);
  const object = objectOf(input, from, to);
  if (verb === 'DROP' && object === 'PREPARE') {
    draft.kind = StatementKind.prepare;
    draft.object(ClassReason.notARead, 'DROP PREPARE');
    draft.mayWrite = true;
    draft.writes = [];
    draft.named = namedChange(PinReason.textPrepare, [], [statementName(tokens, from + 2)]);
    return;
  }
  draft.kind = StatementKind.ddl;
  draft.command = object === '' ? verb : `${verb}_${object}`;
  draft.object(ClassReason.notARead, draft.command);
  draft.mayWrite = true;
  draft.transactionControl = true;
  draft.changesViews =
    object === 'VIEW' ||
    verb === 'RENAME' ||
    (verb === 'DROP' && (object === 'DATABASE' || object === 'SCHEMA')) ||
    (verb === 'ALTER' && object === 'TABLE' && contains(input, from, to, 'RENAME'));
  ddlWrites(input, draft, object, from, to);
  draft.changesRelations = changesRelations(tokens, object, from, to);
  if (verb === 'CREATE') classifyCreate(input, draft, object, from, to);
  else if (verb === 'DROP' && tokens.text(from + 1) === 'TEMPORARY') draft.transactionControl = false;
  if (object === 'TABLE' || object === 'TABLES' || object === 'SEQUENCE')
    draft.named = temporaryTableChange(tokens, from, to);
}

function classifyCreate(
  input: ClassifyInput,
  draft: StatementDraft,
  object: string,
  from: number,
  to: number,
): void {
  const { tokens } = input;
  if (tokens.text(from + 1) === 'TEMPORARY' || tokens.text(from + 3) === 'TEMPORARY') {
    draft.pins.add(PinReason.temporaryTable);
    draft.transactionControl = false;
  }
  if (object !== 'TABLE') return;
  // CREATE TABLE … SELECT runs the query; the definitions before it look like calls and are none.
  for (let i = from; i < to; i++) {
    if (tokens.text(i) !== 'SELECT') continue;
    if (scanSafety(input, draft, i, to).calledStored) draft.writes = null;
    return;
  }
}

function contains(input: ClassifyInput, from: number, to: number, word: string): boolean {
  for (let i = from; i < to; i++) if (input.tokens.text(i) === word) return true;
  return false;
}

/** FLUSH: the forms that hold on to tables until UNLOCK TABLES pin. */
export function classifyFlush(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  classifyDdl(input, draft, from, to);
  draft.command = 'FLUSH';
  draft.writes = [];
  for (let i = from + 1; i < to; i++) {
    const text = tokens.text(i);
    const next = tokens.text(i + 1);
    if ((text === 'WITH' && next === 'READ') || (text === 'FOR' && next === 'EXPORT')) {
      draft.pins.add(PinReason.lockTables);
    }
  }
}
