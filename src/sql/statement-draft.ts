/** What classification finds out about one statement, while it is finding it out. */

import {
  ClassReason,
  LockUse,
  type NamedChange,
  PinReason,
  type ResidueUse,
  type StatementKind,
  type TableReference,
  type Varying,
  VaryingReason,
} from './statement-class.ts';

const PLAIN_NAME = /^[a-z0-9_$.]+$/;

/** What speaks against all caching is worth more than what speaks against some. */
export function weightOf(reason: VaryingReason): number {
  if (reason === VaryingReason.timeOfDay) return 0;
  return reason === VaryingReason.sqlNoCache ? 1 : 2;
}

export class StatementDraft {
  kind: StatementKind;
  command: string;
  /** `proven-read` until something speaks against it; the first objection stays. */
  reason: ClassReason = ClassReason.provenRead;
  detail = '';
  readonly tables: TableReference[] = [];
  readonly pins = new Set<PinReason>();
  readonly releases = new Set<PinReason>();
  named: NamedChange | null = null;
  userVariables: Set<string> | null = new Set();
  readonly readsVariables = new Set<string>();
  executes: string | null = null;
  locks: LockUse = LockUse.none;
  calculatesFoundRows = false;
  beginReadOnly = false;
  transactionControl = false;
  mayWrite = false;
  changesViews = false;
  changesRelations = false;
  mayBeDeferred = false;
  ownVariables = false;
  readonly unreportedVariables = new Set<string>();
  varies: Varying | null = null;
  readonly residue: { -readonly [K in keyof ResidueUse]: boolean } = {
    lastInsertId: false,
    diagnostics: false,
    foundRows: false,
    rowCount: false,
    connectionId: false,
  };

  #writes: readonly TableReference[] | null = null;
  #mayDoAnything = false;
  readonly #tableKeys = new Set<string>();

  constructor(kind: StatementKind, command: string) {
    this.kind = kind;
    this.command = command;
  }

  /** Says that the statement is no proven read. */
  object(reason: ClassReason, detail: string): void {
    if (this.reason !== ClassReason.provenRead) return;
    this.reason = reason;
    this.detail = detail;
  }

  /** Says that a second run may answer something else. */
  vary(reason: VaryingReason, detail: string): void {
    if (this.varies === null || weightOf(reason) > weightOf(this.varies.reason))
      this.varies = { reason, detail };
  }

  /** See `StatementClass.writes`; null unless somebody has found out. */
  get writes(): readonly TableReference[] | null {
    return this.#mayDoAnything ? null : this.#writes;
  }

  set writes(tables: readonly TableReference[] | null) {
    this.#writes = tables;
  }

  /** For a statement of which nothing is known: everything that could matter is assumed. */
  assumeAnything(reason: ClassReason, detail: string): void {
    this.object(reason, detail);
    this.#mayDoAnything = true;
    this.mayWrite = true;
    this.transactionControl = true;
    this.changesViews = true;
    this.changesRelations = true;
    this.pins.add(PinReason.storedRoutine);
  }

  /** @param raw `@name` as it stands. */
  addUserVariable(raw: string, isTarget: boolean): void {
    const quoted = /^@([`'"])(.*)\1$/.exec(raw);
    const name = (quoted === null ? raw.slice(1) : (quoted[2] ?? '')).toLowerCase();
    if (!PLAIN_NAME.test(name)) {
      this.userVariables = null;
      return;
    }
    this.userVariables?.add(name);
    if (!isTarget) this.readsVariables.add(name);
  }

  addTable(schema: string | null, table: string): void {
    const key = schema === null ? table : `${schema}\0${table}`;
    if (this.#tableKeys.has(key)) return;
    this.#tableKeys.add(key);
    this.tables.push({ schema, table });
  }
}
