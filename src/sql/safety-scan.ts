/**
 * Looks at every token of a statement for what makes it more than a read. It knows no grammar to speak of, which
 * is its strength: whatever the structure of the statement, a locking clause, a call or an assignment is seen.
 */

import { BARE_FUNCTIONS } from './builtin-functions.ts';
import { callAt } from './function-calls.ts';
import { varyingCall, varyingName } from './function-determinism.ts';
import { TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { ClassReason, LockUse, PinReason, VaryingReason } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import { GLOBAL_SCOPES, isServerState, SESSION_SCOPES, variableResidue } from './system-variables.ts';
import type { TokenList } from './token-list.ts';

/** Reserved words that no read contains, except as functions (INSERT, REPLACE), in FOR UPDATE and in CHARACTER SET. */
const VERBS: ReadonlySet<string> = new Set([
  'ALTER',
  'CALL',
  'CREATE',
  'DELETE',
  'DROP',
  'GRANT',
  'INSERT',
  'KILL',
  'LOAD',
  'RENAME',
  'REPLACE',
  'REVOKE',
  'SET',
  'UPDATE',
]);

/** Functions that take the name of a type among their arguments. */
const NAMES_TYPES: ReadonlySet<string> = new Set(['CAST', 'CONVERT', 'JSON_TABLE', 'JSON_VALUE']);

export class SafetyScan {
  readonly #tokens: TokenList;
  readonly #context: LexicalContext;
  readonly #draft: StatementDraft;
  /** A function was called that may write. */
  calledUnknown = false;
  /** One that may write to tables: stored, loadable, or of a sequence. */
  calledStored = false;

  constructor(tokens: TokenList, context: LexicalContext, draft: StatementDraft) {
    this.#tokens = tokens;
    this.#context = context;
    this.#draft = draft;
  }

  scan(from: number, to: number): void {
    const tokens = this.#tokens;
    for (let i = from; i < to; i++) {
      switch (tokens.kind(i)) {
        case TokenKind.name:
        case TokenKind.quotedName:
          if (tokens.text(i + 1) === '(' && i + 1 < to) this.#call(i, to);
          else if (tokens.text(i - 1) === '.') this.#member(i);
          else this.#word(i);
          break;
        case TokenKind.userVariable:
          this.#draft.object(ClassReason.userVariable, tokens.raw(i));
          if (tokens.text(i - 1) === 'INTO') this.#draft.pins.add(PinReason.userVariable);
          break;
        case TokenKind.systemVariable:
          this.#systemVariable(i);
          break;
        case TokenKind.assign:
          this.#draft.object(ClassReason.userVariable, ':=');
          this.#draft.pins.add(PinReason.userVariable);
          break;
        case TokenKind.malformed:
          this.#draft.assumeAnything(ClassReason.malformed, '');
          this.calledUnknown = true;
          this.calledStored = true;
          break;
      }
    }
  }

  #call(index: number, to: number): void {
    const facts = callAt(this.#tokens, index, to, this.#context);
    if (facts === null) return;
    const draft = this.#draft;
    if (facts.residue !== null) draft.residue[facts.residue] = true;
    if (facts.pin !== null) draft.pins.add(facts.pin);
    if (facts.usesLocks) draft.locks = this.#lockUse(index);
    if (facts.reason === ClassReason.provenRead) {
      this.#varyingCall(index, to);
      return;
    }
    draft.object(facts.reason, this.#tokens.raw(index));
    if (facts.reason !== ClassReason.sessionFunction) this.calledUnknown = true;
    if (facts.reason === ClassReason.unknownFunction || facts.reason === ClassReason.sequence)
      this.calledStored = true;
  }

  #varyingCall(index: number, to: number): void {
    const tokens = this.#tokens;
    const name = tokens.text(index);
    const reason = varyingCall(name, tokens.text(index + 2) === ')');
    if (reason !== null) this.#draft.vary(reason, name);
    else if (NAMES_TYPES.has(name) && this.#namesTime(index + 1, to))
      this.#draft.vary(VaryingReason.timeOfDay, `${name} … TIME`);
  }

  /** `CAST(x AS TIME)` and the like. */
  #namesTime(open: number, to: number): boolean {
    const end = this.#tokens.behindParenthesis(open, to);
    for (let i = open + 1; i < end; i++)
      if (this.#tokens.text(i) === 'TIME' && this.#tokens.text(i - 1) !== '.') return true;
    return false;
  }

  /** `SELECT RELEASE_ALL_LOCKS()` alone certainly calls it. */
  #lockUse(index: number): LockUse {
    const tokens = this.#tokens;
    const before = tokens.text(0);
    const isAlone = index === 1 && tokens.count === 4 && (before === 'SELECT' || before === 'DO');
    return isAlone && tokens.text(index) === 'RELEASE_ALL_LOCKS' ? LockUse.releasesAll : LockUse.some;
  }

  /** MariaDB in Oracle mode: `seq.nextval`, without parentheses. */
  #member(index: number): void {
    const name = this.#tokens.name(index)?.toUpperCase();
    if (name === 'NEXTVAL' || name === 'CURRVAL') this.#sequence(name);
  }

  #sequence(detail: string): void {
    this.#draft.object(ClassReason.sequence, detail);
    this.#draft.pins.add(PinReason.sequence);
    this.calledUnknown = true;
    this.calledStored = true;
  }

  #word(index: number): void {
    const tokens = this.#tokens;
    const word = tokens.text(index);
    const next = tokens.text(index + 1);
    switch (word) {
      case '':
        return;
      case 'INTO':
        this.#draft.object(
          ClassReason.selectInto,
          tokens.kind(index + 1) === TokenKind.userVariable ? '@' : next,
        );
        return;
      case 'FOR':
        if (next === 'SYSTEM_TIME') this.#draft.vary(VaryingReason.timeTravel, 'FOR SYSTEM_TIME');
        if (next === 'UPDATE' || next === 'SHARE') this.#draft.object(ClassReason.lockingRead, `FOR ${next}`);
        return;
      case 'LOCK':
        if (next === 'IN') this.#draft.object(ClassReason.lockingRead, 'LOCK IN SHARE MODE');
        return;
      case 'PROCEDURE':
        this.#draft.object(ClassReason.unsafeFunction, 'PROCEDURE');
        return;
      case 'SQL_CALC_FOUND_ROWS':
        this.#draft.object(ClassReason.calcFoundRows, word);
        this.#draft.calculatesFoundRows = true;
        return;
      case 'SQL_NO_CACHE':
        this.#draft.vary(VaryingReason.sqlNoCache, word);
        return;
      case 'TIME':
        if (tokens.kind(index + 1) === TokenKind.string)
          this.#draft.vary(VaryingReason.timeOfDay, 'TIME literal');
        return;
      case 'NEXT':
      case 'PREVIOUS':
        if (next === 'VALUE' && tokens.text(index + 2) === 'FOR') this.#sequence(`${word} VALUE FOR`);
        return;
    }
    if (BARE_FUNCTIONS.has(word)) this.#draft.vary(varyingName(word), word);
    const previous = tokens.text(index - 1);
    if (VERBS.has(word) && previous !== 'FOR' && previous !== 'CHARACTER')
      this.#draft.object(ClassReason.notARead, word);
  }

  #systemVariable(index: number): void {
    const tokens = this.#tokens;
    this.#draft.vary(VaryingReason.systemVariable, tokens.raw(index));
    let name = tokens.variableName(index);
    if (tokens.text(index + 1) === '.') {
      const isSession = SESSION_SCOPES.has(name);
      const member = tokens.name(index + 2)?.toLowerCase() ?? '';
      // Behind a session scope stands the variable; behind anything else it is global or a structured one.
      if (!isSession || tokens.text(index + 3) === '.') {
        this.#draft.object(ClassReason.serverState, `@@${name}.${member}`);
        return;
      }
      name = member;
    } else if (GLOBAL_SCOPES.has(name)) {
      this.#draft.object(ClassReason.serverState, `@@${name}`);
    }
    const residue = variableResidue(name);
    if (residue !== null) {
      this.#draft.residue[residue] = true;
      this.#draft.object(ClassReason.sessionFunction, `@@${name}`);
    } else if (isServerState(name)) this.#draft.object(ClassReason.serverState, `@@${name}`);
  }
}
