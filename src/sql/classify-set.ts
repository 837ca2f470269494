/** Everything that begins with SET. */

import { type ClassifyInput, scanSafety } from './classify-read.ts';
import { TokenKind } from './lexer.ts';
import { ClassReason, PinReason, StatementKind } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import { GLOBAL_SCOPES, SESSION_SCOPES } from './system-variables.ts';
import { readTables } from './written-tables.ts';

/** Set by `@@name` without a scope they hold for the next transaction only. */
const TRANSACTION_VARIABLES: ReadonlySet<string> = new Set([
  'transaction_isolation',
  'transaction_read_only',
  'tx_isolation',
  'tx_read_only',
]);

/**
 * `SET …` with SET at `from`. Returns where the inner statement of MariaDB's `SET STATEMENT … FOR …` begins, else -1.
 */
export function classifySet(input: ClassifyInput, draft: StatementDraft, from: number, to: number): number {
  const { tokens } = input;
  draft.object(ClassReason.notARead, 'SET');
  draft.writes = [];
  const word = tokens.text(from + 1);
  const next = tokens.text(from + 2);
  const isAssignment = next === '=' || next === ':=';
  if (word === 'STATEMENT' && !isAssignment) return classifySetStatement(input, draft, from + 2, to);
  if (word === 'TRANSACTION' && !isAssignment) {
    draft.kind = StatementKind.setTransaction;
    draft.command = 'SET_TRANSACTION';
    draft.pins.add(PinReason.setTransaction);
  } else if (next === 'TRANSACTION' && SESSION_SCOPES.has(word.toLowerCase())) return -1;
  else if (next === 'TRANSACTION' && word === 'GLOBAL') draft.mayWrite = true;
  else if (word === 'ROLE' && !isAssignment) draft.pins.add(PinReason.setRole);
  else if (word === 'RESOURCE' && next === 'GROUP') draft.pins.add(PinReason.untrackedSet);
  else if (word === 'PASSWORD' || (word === 'DEFAULT' && next === 'ROLE')) {
    draft.kind = StatementKind.ddl;
    draft.command = word === 'PASSWORD' ? 'SET_PASSWORD' : 'SET_DEFAULT_ROLE';
    draft.mayWrite = true;
    draft.writes = null;
    draft.transactionControl = true;
  } else classifyAssignments(input, draft, from + 1, to);
  return -1;
}

/** The variables are set for the inner statement only, but which of them a server reports back is not known. */
function classifySetStatement(input: ClassifyInput, draft: StatementDraft, from: number, to: number): number {
  const { tokens } = input;
  draft.pins.add(PinReason.untrackedSet);
  for (let i = from; i < to; i++) {
    if (tokens.text(i) === '(') i = tokens.behindParenthesis(i, to) - 1;
    else if (tokens.text(i) === 'FOR') {
      if (scanSafety(input, draft, from, i).calledStored || !readTables(input, draft, from, i))
        draft.writes = null;
      return i + 1;
    }
  }
  draft.assumeAnything(ClassReason.notARead, 'SET STATEMENT');
  return -1;
}

function classifyAssignments(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  let start = from;
  for (let i = from; i <= to; i++) {
    const text = i < to ? tokens.text(i) : ',';
    if (text === '(') i = tokens.behindParenthesis(i, to) - 1;
    else if (text === ',') {
      classifyAssignment(input, draft, start, i);
      start = i + 1;
    }
  }
}

/** One of `NAMES x`, `CHARACTER SET x`, `[scope] name = value`, `@@[scope.]name = value`, `@x = value`. */
function classifyAssignment(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  let value = from;
  while (value < to && tokens.text(value) !== '=' && tokens.text(value) !== ':=') value++;
  const kind = tokens.kind(from);
  if (kind === TokenKind.userVariable) {
    draft.pins.add(PinReason.userVariable);
  } else if (kind === TokenKind.systemVariable) {
    const name = tokens.variableName(from);
    const isScoped = tokens.text(from + 1) === '.';
    if (!isScoped && TRANSACTION_VARIABLES.has(name)) {
      draft.kind = StatementKind.setTransaction;
      draft.pins.add(PinReason.setTransaction);
    } else if (isScoped && !SESSION_SCOPES.has(name)) draft.mayWrite = true;
    // Measured on 10.11: of all spellings, MariaDB reports this one to nobody.
    else if (!isScoped && input.context.flavor === 'mariadb')
      draft.unreportedVariables.add(name.toLowerCase());
    noteVariable(draft, isScoped ? (tokens.name(from + 2) ?? '') : name);
  } else if (kind === TokenKind.name || kind === TokenKind.quotedName) {
    const word = tokens.text(from).toLowerCase();
    const isScoped = tokens.isName(from + 1) && from + 1 < value;
    if (isScoped && GLOBAL_SCOPES.has(word)) draft.mayWrite = true;
    noteVariable(draft, tokens.name(isScoped ? from + 1 : from) ?? '');
  } else draft.assumeAnything(ClassReason.malformed, 'SET');
  const { calledUnknown, calledStored } = scanSafety(input, draft, value + 1, to);
  if (calledStored || !readTables(input, draft, value + 1, to)) draft.writes = null;
  if (calledUnknown || tokens.text(value + 1) === '(') draft.mayWrite = true;
}

/** Changing autocommit may commit. */
function noteVariable(draft: StatementDraft, name: string): void {
  if (name.toLowerCase() === 'autocommit') draft.transactionControl = true;
}
