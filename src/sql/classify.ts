/**
 * Says what a text of SQL is. The lexer decides safety: what is not understood is never proven, and a statement
 * with conditional comments is proven only if it is so for a server that runs them and for one that does not.
 */

import { hasBody } from './classify-ddl.ts';
import type { ClassifyInput } from './classify-read.ts';
import { classifyStatement } from './classify-statement.ts';
import { ConditionalMode, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { parseRouteHints } from './route-hint.ts';
import {
  ClassReason,
  LockUse,
  PinReason,
  type ResidueUse,
  type StatementClass,
  StatementKind,
  type TableReference,
  type Varying,
} from './statement-class.ts';
import { type StatementDraft, weightOf } from './statement-draft.ts';
import { TokenList } from './token-list.ts';

/** Of a text with more statements the rest is not looked at, nor counted. */
const MAX_STATEMENTS = 1000;

/** One per thread is enough: classification never calls itself. */
const tokens = new TokenList();

/** Classifies `buf[start, end)`. Keeps nothing of the buffer; never throws for any bytes. */
export function classify(buf: Buffer, start: number, end: number, context: LexicalContext): StatementClass {
  try {
    const byServer = classifyAs(buf, start, end, context, ConditionalMode.byServer);
    if (!tokens.sawConditional) return byServer;
    const run = classifyAs(buf, start, end, context, ConditionalMode.runAll);
    const isMixed = tokens.mixedConditionals;
    const skipped = classifyAs(buf, start, end, context, ConditionalMode.skipAll);
    return mergeConditional(byServer, run, skipped, isMixed);
  } finally {
    tokens.release();
  }
}

function classifyAs(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  mode: ConditionalMode,
): StatementClass {
  tokens.collect(buf, start, end, context, mode);
  const drafts = classifyParts({ buf, tokens, context });
  if (tokens.tooLong) for (const draft of drafts) draft.assumeAnything(ClassReason.tooLong, '');
  return combine(drafts);
}

function classifyParts(input: ClassifyInput): StatementDraft[] {
  const drafts: StatementDraft[] = [];
  const count = tokens.count;
  for (let from = 0; from < count; ) {
    if (tokens.kind(from) === TokenKind.semicolon) {
      from++;
      continue;
    }
    let to = from;
    while (to < count && tokens.kind(to) !== TokenKind.semicolon) to++;
    const draft = classifyStatement(input, from, to);
    drafts.push(draft);
    if (drafts.length === MAX_STATEMENTS) {
      draft.assumeAnything(ClassReason.tooLong, '');
      break;
    }
    // A stored program's body: which of the semicolons ends the statement only its grammar tells.
    if (to + 1 < count && hasBody(input, from, to)) {
      draft.pins.add(PinReason.storedRoutine);
      to = count;
    }
    from = to;
  }
  return drafts;
}

const NO_RESIDUE: ResidueUse = Object.freeze({
  lastInsertId: false,
  diagnostics: false,
  foundRows: false,
  rowCount: false,
  connectionId: false,
});

const EMPTY: Omit<StatementClass, 'hint'> = {
  kind: StatementKind.empty,
  statementCount: 0,
  calls: [],
  command: '',
  provenRead: false,
  reason: ClassReason.notARead,
  detail: '',
  tables: [],
  writes: [],
  pins: [],
  releases: [],
  named: null,
  userVariables: [],
  readsVariables: [],
  executes: null,
  locks: LockUse.none,
  calculatesFoundRows: false,
  beginReadOnly: false,
  transactionControl: false,
  mayWrite: false,
  changesViews: false,
  changesRelations: false,
  mayBeDeferred: false,
  ownVariables: false,
  unreportedVariables: [],
  residue: NO_RESIDUE,
  varies: null,
};

function combine(drafts: readonly StatementDraft[]): StatementClass {
  const hint = parseRouteHints(tokens.routeHints);
  const first = drafts[0];
  if (first === undefined) return { ...EMPTY, hint };
  const isSingle = drafts.length === 1;
  const objector = drafts.find((draft) => draft.reason !== ClassReason.provenRead);
  const isMulti = !isSingle && objector !== undefined;
  return {
    kind: first.kind,
    statementCount: drafts.length,
    calls: drafts.flatMap((draft, index) => (draft.kind === StatementKind.call ? [index] : [])),
    command: first.command,
    provenRead: objector === undefined,
    reason: isMulti ? ClassReason.multiStatement : (objector ?? first).reason,
    detail: isMulti ? `${objector.reason} ${objector.detail}`.trim() : first.detail,
    tables: isSingle ? first.tables : unionOfTables(drafts),
    writes: isSingle ? writesOf(first) : unionOfWrites(drafts.map(writesOf)),
    pins: isSingle ? [...first.pins] : [...new Set(drafts.flatMap((draft) => [...draft.pins]))],
    releases: isSingle ? [...first.releases] : [],
    named: isSingle ? first.named : null,
    ...unionOfVariables(drafts),
    executes: isSingle ? first.executes : null,
    locks: isSingle ? first.locks : drafts.some(usesLocks) ? LockUse.some : LockUse.none,
    calculatesFoundRows: drafts.some((draft) => draft.calculatesFoundRows),
    beginReadOnly: isSingle && first.beginReadOnly,
    transactionControl: drafts.some((draft) => draft.transactionControl),
    mayWrite: drafts.some((draft) => draft.mayWrite),
    changesViews: drafts.some((draft) => draft.changesViews),
    changesRelations: drafts.some((draft) => draft.changesRelations),
    mayBeDeferred: drafts.some((draft) => draft.mayBeDeferred),
    ownVariables: drafts.some((draft) => draft.ownVariables),
    unreportedVariables: [...new Set(drafts.flatMap((draft) => [...draft.unreportedVariables]))],
    residue: isSingle ? first.residue : unionOfResidue(drafts),
    varies: unionOfVarying(drafts),
    hint,
  };
}

function writesOf(draft: StatementDraft): readonly TableReference[] | null {
  return draft.reason === ClassReason.provenRead ? [] : draft.writes;
}

/** Where nothing is known of one, nothing is known of all. */
function unionOfWrites(
  parts: readonly (readonly TableReference[] | null)[],
): readonly TableReference[] | null {
  const known = parts.filter((writes) => writes !== null);
  return known.length < parts.length ? null : unionOfTables(known.map((tables) => ({ tables })));
}

function usesLocks({ locks }: { readonly locks: LockUse }): boolean {
  return locks !== LockUse.none;
}

interface VariableUse {
  readonly userVariables: Iterable<string> | null;
  readonly readsVariables: Iterable<string>;
}

function unionOfVariables(
  parts: readonly VariableUse[],
): Pick<StatementClass, 'userVariables' | 'readsVariables'> {
  const names = new Set<string>();
  const reads = new Set<string>();
  let obscure = false;
  for (const { userVariables, readsVariables } of parts) {
    for (const name of userVariables ?? []) names.add(name);
    for (const name of readsVariables) reads.add(name);
    obscure ||= userVariables === null;
  }
  return { userVariables: obscure ? null : [...names], readsVariables: [...reads] };
}

function unionOfTables(parts: readonly { readonly tables: readonly TableReference[] }[]): TableReference[] {
  const union = new Map<string, TableReference>();
  for (const { tables } of parts) {
    for (const table of tables) union.set(`${table.schema ?? ''}\0${table.table}`, table);
  }
  return [...union.values()];
}

function unionOfVarying(parts: readonly { readonly varies: Varying | null }[]): Varying | null {
  let most: Varying | null = null;
  for (const { varies } of parts)
    if (varies !== null && (most === null || weightOf(varies.reason) > weightOf(most.reason))) most = varies;
  return most;
}

function unionOfResidue(parts: readonly { readonly residue: ResidueUse }[]): ResidueUse {
  return {
    lastInsertId: parts.some((part) => part.residue.lastInsertId),
    diagnostics: parts.some((part) => part.residue.diagnostics),
    foundRows: parts.some((part) => part.residue.foundRows),
    rowCount: parts.some((part) => part.residue.rowCount),
    connectionId: parts.some((part) => part.residue.connectionId),
  };
}

/** What the statement is, is what the context's server makes of it; what it may do, is what any server may. */
function mergeConditional(
  byServer: StatementClass,
  run: StatementClass,
  skipped: StatementClass,
  isMixed: boolean,
): StatementClass {
  const all = [byServer, run, skipped];
  const provenRead = !isMixed && all.every((each) => each.provenRead);
  const isDoubtful = byServer.provenRead && !provenRead;
  return {
    ...byServer,
    provenRead,
    reason: isDoubtful ? ClassReason.conditionalComment : byServer.reason,
    detail: isDoubtful ? (all.find((each) => !each.provenRead)?.reason ?? '') : byServer.detail,
    tables: unionOfTables(all),
    writes: isMixed ? null : unionOfWrites(all.map((each) => each.writes)),
    pins: [...new Set(all.flatMap((each) => each.pins))],
    releases: all.every((each) => each.releases.length > 0) ? byServer.releases : [],
    ...unionOfVariables(all),
    named: byServer.named === null || all.every((each) => each.named !== null) ? byServer.named : null,
    locks: all.some(usesLocks) ? LockUse.some : LockUse.none,
    calculatesFoundRows: all.some((each) => each.calculatesFoundRows),
    beginReadOnly: all.every((each) => each.beginReadOnly),
    transactionControl: all.some((each) => each.transactionControl),
    mayWrite: all.some((each) => each.mayWrite),
    changesViews: all.some((each) => each.changesViews),
    changesRelations: all.some((each) => each.changesRelations),
    mayBeDeferred: all.some((each) => each.mayBeDeferred),
    ownVariables: all.some((each) => each.ownVariables),
    unreportedVariables: [...new Set(all.flatMap((each) => each.unreportedVariables))],
    residue: unionOfResidue(all),
    varies: unionOfVarying(all),
  };
}
