/**
 * The slots of the tables that the statements of a plan read and write, by schema and with what the schema's own relations
 * add. Kept with the plan: for a digest and schema that are known nothing is computed, nor allocated.
 */

import { tableSlot } from '../../common/table-slots.ts';
import { type StatementClass, StatementKind, type TableReference } from '../../sql/statement-class.ts';
import type { TableCatalog } from './table-catalog.ts';

/** Of no table. */
export const NO_SLOTS: Int32Array = new Int32Array(0);
/** Schemas in which the slots of one plan are remembered. */
const MAX_SCHEMAS = 256;
/** Their views call functions, which the catalogue does not have. */
const UNREAD_SCHEMA = 'sys';

type Compute = (statement: StatementClass, schema: string, catalog: TableCatalog) => Int32Array | null;

/** The answers to one question, of one version of the catalogue. */
class SlotMemory {
  readonly #compute: Compute;
  #version = -1;
  #schema = '';
  #slots: Int32Array | null = null;
  #others: Map<string, Int32Array | null> | null = null;

  constructor(compute: Compute) {
    this.#compute = compute;
  }

  get(statement: StatementClass, schema: string, catalog: TableCatalog): Int32Array | null {
    if (this.#version === catalog.version) {
      if (this.#schema === schema) return this.#slots;
      const known = this.#others?.get(schema);
      if (known !== undefined) return known;
    } else {
      this.#version = catalog.version;
      this.#others = null;
      this.#schema = schema;
      this.#slots = this.#compute(statement, schema, catalog);
      return this.#slots;
    }
    const slots = this.#compute(statement, schema, catalog);
    this.#others ??= new Map();
    if (this.#others.size >= MAX_SCHEMAS) this.#others.clear();
    this.#others.set(schema, slots);
    return slots;
  }
}

export class PlanSlots {
  readonly #statement: StatementClass;
  /** Answers that depend on nothing; undefined: on the catalogue. */
  readonly #fixedReads: Int32Array | null | undefined;
  readonly #fixedWrites: Int32Array | null | undefined;
  /** Some table is not qualified. */
  readonly #needsSchema: boolean;
  readonly #reads = new SlotMemory(readSlots);
  readonly #writes = new SlotMemory(writeSlots);

  constructor(statement: StatementClass) {
    this.#statement = statement;
    const { tables, writes, provenRead } = statement;
    this.#fixedReads =
      !provenRead || showsSchema(statement) ? null : tables.length === 0 ? NO_SLOTS : undefined;
    // Reading a view may run a function that writes: whether it does only the catalogue knows.
    const isWriteless = writes?.length === 0 && tables.length === 0;
    this.#fixedWrites = isWriteless ? NO_SLOTS : writes === null ? null : undefined;
    this.#needsSchema = [...tables, ...(writes ?? [])].some((table) => table.schema === null);
  }

  /** null: any table. @param schema the session's. */
  reads(schema: string | null, catalog: TableCatalog): Int32Array | null {
    if (this.#fixedReads !== undefined) return this.#fixedReads;
    return this.#of(this.#reads, schema, catalog);
  }

  /** null: any table. */
  writes(schema: string | null, catalog: TableCatalog): Int32Array | null {
    if (this.#fixedWrites !== undefined) return this.#fixedWrites;
    return this.#of(this.#writes, schema, catalog);
  }

  #of(memory: SlotMemory, schema: string | null, catalog: TableCatalog): Int32Array | null {
    if (!catalog.complete || !catalog.isCurrent()) return null;
    if (!this.#needsSchema) return memory.get(this.#statement, '', catalog);
    return schema === null ? null : memory.get(this.#statement, schema, catalog);
  }
}

/** SHOW TABLES and the like: what they show is changed by statements about any table. */
function showsSchema({ kind, command, tables }: StatementClass): boolean {
  return kind === StatementKind.read && command.startsWith('SHOW') && tables.length === 0;
}

function readSlots(
  { tables }: StatementClass,
  schema: string,
  { relations }: TableCatalog,
): Int32Array | null {
  const slots = new Set<number>();
  for (const table of tables) {
    const slot = slotOf(table, schema);
    slots.add(slot);
    if (!relations.addRead(slot, slots)) return null;
  }
  return Int32Array.from(slots).sort();
}

function writeSlots(
  { tables, writes }: StatementClass,
  schema: string,
  { relations }: TableCatalog,
): Int32Array | null {
  for (const table of tables)
    if (isUnread(table, schema) || relations.readsAnything(slotOf(table, schema))) return null;
  const slots = new Set<number>();
  for (const table of writes ?? []) {
    const slot = slotOf(table, schema);
    slots.add(slot);
    if (!relations.addWritten(slot, slots)) return null;
  }
  return slots.size === 0 ? NO_SLOTS : Int32Array.from(slots).sort();
}

function slotOf(table: TableReference, schema: string): number {
  return tableSlot(table.schema ?? schema, table.table);
}

function isUnread(table: TableReference, schema: string): boolean {
  return (table.schema ?? schema).toLowerCase() === UNREAD_SCHEMA;
}
