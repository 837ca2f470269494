/**
 * Keeps what is known of tables that belong together, read with the views. What cannot be read makes it unknown, and nothing
 * else: reads go to replicas as before, and only who asks which tables a statement touches is told that it may be any.
 */

import { createHash } from 'node:crypto';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Clock } from '../../common/clock.ts';
import { encodeKeyCatalog } from '../../common/key-catalog.ts';
import { NO_KEYS, type SnapshotKeys, type SnapshotTables } from '../../common/snapshot.ts';
import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { triggerBodyUse } from '../../sql/trigger-body.ts';
import { readKeyFacts } from './key-facts.ts';
import type { MonitorConnection } from './monitor-connection.ts';
import { encodeRelations, type JudgedTrigger } from './relation-graph.ts';
import { describeError } from './server-error.ts';
import type { ServerVersion } from './server-version.ts';
import { readTableFacts, type TableFacts, type TriggerFact } from './table-facts.ts';
import { missingGrants } from './view-grants.ts';
import type { ViewDefinition, ViewVerdict } from './view-safety-closure.ts';

/** For the triggers and the foreign keys of all tables. */
export const TABLE_PRIVILEGES: readonly string[] = ['TRIGGER', 'PROCESS'];

/** A thousand bodies take a while to judge: the checks of the servers must not wait for that. */
const SLICE_MS = 10;

export class TableRelationsReader {
  readonly #clock: Clock;
  readonly #definitions: () => number | null;
  #tables: SnapshotTables;
  #keysRead = 0;
  #checksum = '';
  /** The list of them is another one when any of them is. */
  #views: readonly (readonly [ViewDefinition, ViewVerdict])[] | null = null;

  /**
   * @param known from before a reload.
   * @param definitions of `SnapshotKeys`; null while nobody wants keys to be known.
   */
  constructor(known: SnapshotTables, clock: Clock, definitions: () => number | null) {
    this.#tables = known;
    this.#keysRead = known.keys.version;
    this.#clock = clock;
    this.#definitions = definitions;
  }

  /** @returns the same value as before where nothing has changed. */
  async read(
    connection: MonitorConnection,
    grants: readonly string[],
    views: readonly (readonly [ViewDefinition, ViewVerdict])[],
    unsafeViews: readonly string[],
    signal: AbortSignal,
  ): Promise<SnapshotTables> {
    const missing = missingGrants(grants, TABLE_PRIVILEGES, 'triggers and foreign keys');
    if (missing !== '') return this.unknown(missing);
    try {
      const facts = await readTableFacts(connection, signal);
      const { version } = connection;
      const checksum = checksumOf(version, facts);
      const isSameSchema = this.#tables.complete && checksum === this.#checksum && views === this.#views;
      const keys = await this.#readKeys(connection, facts, isSameSchema, signal);
      if (isSameSchema && keys === this.#tables.keys) return this.#tables;
      const triggers = await this.#judge(facts.triggers, version, signal);
      const { cascades, composed } = facts;
      const relations = encodeRelations({ views, unsafeViews, triggers, cascades, composed });
      this.#checksum = checksum;
      this.#views = views;
      return this.#put({ complete: true, incompleteReason: '', relations, keys });
    } catch (error) {
      if (signal.aborted) throw error;
      return this.unknown(`the triggers and foreign keys could not be read: ${describeError(error)}`);
    }
  }

  unknown(incompleteReason: string): SnapshotTables {
    const { complete, incompleteReason: before } = this.#tables;
    if (!complete && before === incompleteReason) return this.#tables;
    return this.#put({ complete: false, incompleteReason, relations: null, keys: NO_KEYS });
  }

  /** Read once for each time that definitions may have changed: it is much. Without them entries are of whole tables. */
  async #readKeys(
    connection: MonitorConnection,
    facts: TableFacts,
    isSameSchema: boolean,
    signal: AbortSignal,
  ): Promise<SnapshotKeys> {
    const definitions = this.#definitions();
    if (definitions === null) return NO_KEYS;
    const known = this.#tables.keys;
    if (isSameSchema && definitions === known.definitions) return known;
    try {
      const catalog = encodeKeyCatalog(await readKeyFacts(connection, facts, signal));
      this.#keysRead += 1;
      return Object.freeze({ version: this.#keysRead, catalog, definitions });
    } catch (error) {
      if (signal.aborted) throw error;
      return NO_KEYS;
    }
  }

  #put(tables: Omit<SnapshotTables, 'version'>): SnapshotTables {
    // After a reload, or when a trigger is another that does the same.
    const { complete, relations, keys } = this.#tables;
    const isSameKeys =
      tables.keys.definitions === keys.definitions && isSame(tables.keys.catalog, keys.catalog);
    const isSameSchema = tables.complete && complete && isSame(tables.relations, relations);
    if (isSameSchema && isSameKeys) return this.#tables;
    const version = isSameSchema ? this.#tables.version : this.#tables.version + 1;
    this.#tables = Object.freeze({ version, ...tables });
    return this.#tables;
  }

  async #judge(
    triggers: readonly TriggerFact[],
    { flavor, id }: ServerVersion,
    signal: AbortSignal,
  ): Promise<readonly JudgedTrigger[]> {
    const judged: JudgedTrigger[] = [];
    let pauseAtMs = this.#clock.monotonicMs() + SLICE_MS;
    for (const { schema, table, body, sqlMode } of triggers) {
      if (this.#clock.monotonicMs() >= pauseAtMs) {
        await immediate();
        signal.throwIfAborted();
        pauseAtMs = this.#clock.monotonicMs() + SLICE_MS;
      }
      const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode, flavor, versionId: id });
      judged.push({ schema, table, use: body === '' ? null : triggerBodyUse(body, context) });
    }
    return judged;
  }
}

function isSame(one: SharedArrayBuffer | null, other: SharedArrayBuffer | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.from(one).equals(Buffer.from(other));
}

/** Independent of the order of the rows, which the server does not promise. */
function checksumOf(version: ServerVersion, { triggers, cascades, composed }: TableFacts): string {
  const hash = createHash('sha256').update(`${version.text}\n`);
  for (const rows of [triggers, cascades, composed]) {
    const lines = rows.map((row) => JSON.stringify(row)).sort();
    for (const line of lines) hash.update(line).update('\n');
    hash.update('\n');
  }
  return hash.digest('base64');
}
