/** From views, triggers and cascades to what reading and writing a table means for others, all of it, slot by slot. Pure. */

import { encodeTableRelations } from '../../common/table-relations.ts';
import { tableSlot } from '../../common/table-slots.ts';
import type { TableReference } from '../../sql/statement-class.ts';
import type { BodyUse } from '../../sql/trigger-body.ts';
import type { CascadeFact } from './table-facts.ts';
import type { ViewDefinition, ViewVerdict } from './view-safety-closure.ts';

/** A table that reaches more others than this is taken to reach all. */
const MAX_REACHED = 1000;
/** Names hold no such character. */
const SEPARATOR = '\0';

/** Their functions and views are not looked at. */
const UNREAD = `sys${SEPARATOR}`;

/** A trigger of a table, and what it does; null: anything. */
export interface JudgedTrigger {
  readonly schema: string;
  readonly table: string;
  readonly use: BodyUse | null;
}

/** To which tables one leads; null: to any. */
type Edges = Map<string, Set<string> | null>;

export interface TableRelationSource {
  readonly views: readonly (readonly [ViewDefinition, ViewVerdict])[];
  /** `schema.view` in lower case. */
  readonly unsafeViews: readonly string[];
  readonly triggers: readonly JudgedTrigger[];
  readonly cascades: readonly CascadeFact[];
  readonly composed: readonly (readonly [schema: string, table: string])[];
}

function keyOf(schema: string, table: string): string {
  return `${schema}${SEPARATOR}${table}`.toLowerCase();
}

function slotOf(key: string): number {
  const [schema = '', table = ''] = key.split(SEPARATOR);
  return tableSlot(schema, table);
}

function add(edges: Edges, from: string, to: string): void {
  const known = edges.get(from);
  if (known === undefined) edges.set(from, new Set([to]));
  else known?.add(to);
}

export function encodeRelations(source: TableRelationSource): SharedArrayBuffer | null {
  const reads: Edges = new Map();
  const writes: Edges = new Map();
  addViews(source, reads, writes);
  const unlogged: Edges = new Map();
  for (const [schema, table] of source.composed)
    for (const edges of [reads, writes, unlogged]) edges.set(keyOf(schema, table), null);
  for (const { parent, child } of source.cascades)
    for (const edges of [writes, unlogged]) add(edges, keyOf(...parent), keyOf(...child));
  const unsafe = new Set([...reads].filter(([, to]) => to === null).map(([key]) => key));
  for (const trigger of source.triggers) addTrigger(trigger, unsafe, writes);
  return encodeTableRelations(slotsOf(reads), slotsOf(writes), slotsOf(unlogged));
}

function addViews({ views, unsafeViews }: TableRelationSource, reads: Edges, writes: Edges): void {
  const unsafe = new Set(unsafeViews);
  for (const [view, verdict] of views) {
    const key = keyOf(view.schema, view.name);
    if (unsafe.has(`${view.schema}.${view.name}`.toLowerCase())) {
      reads.set(key, null);
      writes.set(key, null);
      continue;
    }
    for (const { schema, table } of verdict.reads) {
      add(reads, key, keyOf(schema ?? view.schema, table));
      add(writes, key, keyOf(schema ?? view.schema, table));
    }
  }
}

/** @param unsafe what may do anything when it is read. */
function addTrigger({ schema, table, use }: JudgedTrigger, unsafe: ReadonlySet<string>, writes: Edges): void {
  const key = keyOf(schema, table);
  const home = (name: TableReference): string => keyOf(name.schema ?? schema, name.table);
  const mayRunAnything = (name: string): boolean => unsafe.has(name) || name.startsWith(UNREAD);
  if (use === null || use.reads.some((name) => mayRunAnything(home(name)))) {
    writes.set(key, null);
    return;
  }
  for (const name of use.writes) add(writes, key, home(name));
}

/** What each table reaches, with what that reaches in turn; tables that share a slot together. */
function slotsOf(edges: Edges): Map<number, number[] | null> {
  const bySlot = new Map<number, Set<number> | null>();
  for (const key of edges.keys()) {
    const slot = slotOf(key);
    const reached = reachedFrom(key, edges);
    const known = bySlot.get(slot);
    if (reached === null || known === null) bySlot.set(slot, null);
    else if (known === undefined) bySlot.set(slot, reached);
    else for (const other of reached) known.add(other);
  }
  const result = new Map<number, number[] | null>();
  for (const [slot, reached] of bySlot) result.set(slot, reached === null ? null : [...reached]);
  return result;
}

function reachedFrom(start: string, edges: Edges): Set<number> | null {
  const seen = new Set([start]);
  const slots = new Set<number>();
  const queue = [start];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const next = edges.get(key);
    if (next === undefined) continue;
    if (next === null || seen.size > MAX_REACHED) return null;
    for (const other of next) {
      if (seen.has(other)) continue;
      seen.add(other);
      slots.add(slotOf(other));
      queue.push(other);
    }
  }
  return slots;
}
