/**
 * Keeps the list of views that are not proven to be safe.
 *
 * Period: catalogIntervalMs, but never more than a tenth of the time is spent on it; `refresh()` at once.
 * Effect: reads every view's definition from the primary, or from any server while there is none, and publishes a
 *         SnapshotCatalog. Definitions are judged only when their checksum has changed. When a
 *         reading fails twice on a server that is otherwise well, the catalogue is incomplete; while the server fails
 *         its checks as well, or none is ONLINE, it stays as it is.
 * Stop:   `stop()`.
 */

import { createHash } from 'node:crypto';
import { setImmediate as immediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../common/clock.ts';
import { NO_TABLES, type SnapshotCatalog, type TimedTable } from '../../common/snapshot.ts';
import { VaryingReason } from '../../sql/statement-class.ts';
import { isVaryingMore } from '../../sql/view-safety.ts';
import type { ServerAddress, ServerDescription } from '../../topology/server-description.ts';
import { CheckInterval } from './check-interval.ts';
import { MonitorConnection, type MonitorCredentials, type Row } from './monitor-connection.ts';
import { describeError, errnoOf } from './server-error.ts';
import type { ServerVersion } from './server-version.ts';
import { TABLE_PRIVILEGES, TableRelationsReader } from './table-relations-reader.ts';
import { readVaryingColumns, type VaryingColumns } from './varying-columns.ts';
import { missingViewGrants, readGrants, VIEW_PRIVILEGES } from './view-grants.ts';
import { judgeView } from './view-judge.ts';
import {
  type JudgedView,
  SYSTEM_SCHEMAS,
  unsafeViewsOf,
  type ViewDefinition,
  varyingViewsOf,
  viewKey,
} from './view-safety-closure.ts';

export interface CatalogSettings {
  readonly catalogIntervalMs: number;
  /** Opening thousands of view files takes a server a while. */
  readonly catalogTimeoutMs: number;
  /** More views than this make the catalogue incomplete. */
  readonly maxViews: number;
}

export interface ViewCatalogOptions {
  readonly credentials: MonitorCredentials;
  readonly settings: CatalogSettings;
  readonly clock: Clock;
  /** From before a reload; null for none. */
  readonly known: SnapshotCatalog | null;
  /** The server to ask, or null while there is none. */
  readonly server: () => ServerDescription | null;
  /** Looks at once whether the server passes its checks. */
  readonly isWell: (address: ServerAddress) => Promise<boolean>;
  readonly changed: (catalog: SnapshotCatalog, views: number) => void;
  /** See `SnapshotKeys`; null while nobody wants keys to be known. */
  readonly definitions: () => number | null;
}

const NOT_READ: SnapshotCatalog = {
  complete: false,
  incompleteReason: 'the view definitions have not been read yet',
  unsafeViews: [],
  varying: null,
  timesOfDay: null,
  tables: NO_TABLES,
};

/** A thousand definitions take a second to judge: the checks of the servers must not wait for that. */
const SLICE_MS = 10;

/** One lost packet is no reason to send every read to the primary. */
const FAILURES_UNTIL_INCOMPLETE = 2;

type VaryingTables = Pick<SnapshotCatalog, 'varying' | 'timesOfDay'>;

const NOT_KNOWN: VaryingTables = { varying: null, timesOfDay: null };

function isSameList(one: readonly string[] | null, other: readonly string[] | null): boolean {
  return one === other || (one !== null && other !== null && one.join('\n') === other.join('\n'));
}

/** Of a view nobody knows what it does with the values that it reads. */
function timedTablesOf(
  judged: readonly JudgedView[],
  timesOfDay: VaryingColumns['timesOfDay'],
): readonly TimedTable[] {
  const views = new Set(judged.map(([{ schema, name }]) => viewKey(schema, name)));
  return varyingViewsOf(judged, timesOfDay.keys(), isTimeOfDay).map((name) => {
    return { name, columns: views.has(name) ? null : (timesOfDay.get(name) ?? null) };
  });
}

function isTimeOfDay(reason: VaryingReason | null): boolean {
  // One that asks not to be cached may be that as well.
  return reason === VaryingReason.timeOfDay || reason === VaryingReason.sqlNoCache;
}

class NoServerError extends Error {
  constructor() {
    super('no server is ONLINE to read the view definitions from');
    this.name = 'NoServerError';
  }
}

interface Reading {
  readonly catalog: SnapshotCatalog;
  readonly views: number;
}

export class ViewCatalog {
  readonly #options: ViewCatalogOptions;
  readonly #interval: CheckInterval<Reading>;
  #catalog: SnapshotCatalog;
  #checksum = '';
  /** Of the last complete reading. */
  #judged: readonly JudgedView[] = [];
  #unsafeViews: readonly string[] = [];
  #varying: VaryingTables = NOT_KNOWN;
  readonly #tables: TableRelationsReader;
  #asked: ServerAddress | null = null;
  #tookMs = 0;
  #failures = 0;

  constructor(options: ViewCatalogOptions) {
    this.#options = options;
    this.#catalog = options.known ?? NOT_READ;
    this.#tables = new TableRelationsReader(this.#catalog.tables, options.clock, options.definitions);
    const { settings, clock } = options;
    this.#interval = new CheckInterval<Reading>({
      periodMs: () => Math.max(settings.catalogIntervalMs, this.#tookMs * 10),
      timeoutMs: settings.catalogTimeoutMs,
      check: (signal) => this.#read(signal),
      report: (result) => {
        if (result.ok) this.#succeed(result.value);
        else this.#fail(result.error);
      },
      clock,
    });
  }

  get catalog(): SnapshotCatalog {
    return this.#catalog;
  }

  /** Resolves after the first reading. */
  start(): Promise<void> {
    return this.#interval.start();
  }

  /** Resolves when a reading that began after this call has ended. */
  refresh(): Promise<void> {
    return this.#interval.wake();
  }

  stop(): Promise<void> {
    return this.#interval.stop();
  }

  async #read(signal: AbortSignal): Promise<Reading> {
    const server = this.#options.server();
    if (server === null) throw new NoServerError();
    this.#asked = server.address;
    const startedAtMs = this.#options.clock.monotonicMs();
    try {
      // A new connection each time: global privileges are those of the moment when a session began, but SHOW GRANTS
      // shows those of now.
      const connection = await MonitorConnection.open(server, this.#options.credentials, signal);
      try {
        return await this.#readFrom(connection, server, signal);
      } finally {
        connection.close();
      }
    } catch (error) {
      const detail = describeError(error);
      throw new Error(`the view definitions could not be read from ${server.address}: ${detail}`, {
        cause: error,
      });
    } finally {
      this.#tookMs = this.#options.clock.monotonicMs() - startedAtMs;
    }
  }

  async #readFrom(
    connection: MonitorConnection,
    server: ServerDescription,
    signal: AbortSignal,
  ): Promise<Reading> {
    const grants = await readGrants(connection, signal, [...VIEW_PRIVILEGES, ...TABLE_PRIVILEGES]);
    const missing = missingViewGrants(grants);
    if (missing !== '') {
      this.#checksum = '';
      return { catalog: this.#incomplete(`${missing} (seen on ${server.address})`), views: 0 };
    }
    const { maxViews } = this.#options.settings;
    const excluded = SYSTEM_SCHEMAS.map((name) => `'${name}'`).join(', ');
    const rows = await connection.query(
      'SELECT TABLE_SCHEMA AS view_schema, TABLE_NAME AS view_name, VIEW_DEFINITION AS definition ' +
        `FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN (${excluded}) LIMIT ${maxViews + 1}`,
      signal,
    );
    if (rows.length > maxViews) {
      this.#checksum = '';
      return {
        catalog: this.#incomplete(`there are more than ${maxViews} views on ${server.address}`),
        views: rows.length,
      };
    }
    await this.#judge(rows, connection.version, signal);
    const varying = await this.#readVarying(connection, signal);
    const tables = await this.#tables.read(connection, grants, this.#judged, this.#unsafeViews, signal);
    const { catalog } = this;
    const isSame =
      catalog.unsafeViews === this.#unsafeViews &&
      catalog.varying === varying.varying &&
      catalog.timesOfDay === varying.timesOfDay;
    if (catalog.complete && isSame && catalog.tables === tables) return { catalog, views: rows.length };
    const read = { complete: true, incompleteReason: '', unsafeViews: this.#unsafeViews, ...varying, tables };
    return { catalog: Object.freeze(read), views: rows.length };
  }

  async #judge(rows: readonly Row[], version: ServerVersion, signal: AbortSignal): Promise<void> {
    const views = rows.map(viewOf);
    const checksum = checksumOf(views, version);
    if (checksum === this.#checksum) return;
    const judged: JudgedView[] = [];
    const { clock } = this.#options;
    let pauseAtMs = clock.monotonicMs() + SLICE_MS;
    for (const view of views) {
      if (clock.monotonicMs() >= pauseAtMs) {
        await immediate();
        signal.throwIfAborted();
        pauseAtMs = clock.monotonicMs() + SLICE_MS;
      }
      judged.push([view, judgeView(view, version)]);
    }
    this.#checksum = checksum;
    this.#judged = judged;
    this.#unsafeViews = Object.freeze(unsafeViewsOf(judged));
  }

  /** What a server refuses to tell, or tells too much of, keeps results from being cached, and nothing else. */
  async #readVarying(connection: MonitorConnection, signal: AbortSignal): Promise<VaryingTables> {
    let columns: VaryingColumns | null = null;
    try {
      columns = await readVaryingColumns(connection, signal);
    } catch (error) {
      if (errnoOf(error) === 0) throw error;
    }
    const judged = this.#judged;
    const found: VaryingTables =
      columns === null
        ? NOT_KNOWN
        : {
            varying: varyingViewsOf(judged, [...columns.varying, ...this.#unsafeViews], isVaryingMore),
            timesOfDay: timedTablesOf(judged, columns.timesOfDay),
          };
    const before = this.#varying;
    if (isSameList(found.varying, before.varying) && isDeepStrictEqual(found.timesOfDay, before.timesOfDay))
      return before;
    this.#varying = found;
    return found;
  }

  #incomplete(incompleteReason: string): SnapshotCatalog {
    const tables = this.#tables.unknown(incompleteReason);
    return Object.freeze({ complete: false, incompleteReason, unsafeViews: [], ...NOT_KNOWN, tables });
  }

  #succeed(reading: Reading): void {
    this.#failures = 0;
    this.#publish(reading);
  }

  #publish({ catalog, views }: Reading): void {
    const before = this.#catalog;
    if (catalog === before) return;
    this.#catalog = catalog;
    const same =
      before.complete === catalog.complete &&
      before.incompleteReason === catalog.incompleteReason &&
      // Of keys nobody has to be told: who wants them asks.
      before.tables.version === catalog.tables.version &&
      before.unsafeViews.join('\n') === catalog.unsafeViews.join('\n') &&
      isSameList(before.varying, catalog.varying) &&
      isDeepStrictEqual(before.timesOfDay, catalog.timesOfDay);
    if (!same) this.#options.changed(catalog, views);
  }

  #fail(error: unknown): void {
    this.#failures++;
    if (!this.#catalog.complete) {
      this.#publish({ catalog: this.#incomplete(describeError(error)), views: 0 });
      return;
    }
    if (error instanceof NoServerError || this.#asked === null) return;
    void this.#judgeFailure(this.#asked, describeError(error));
  }

  /** On a server that fails everything nobody changes a view either: what is known of the views stays true. */
  async #judgeFailure(address: ServerAddress, reason: string): Promise<void> {
    const failures = this.#failures;
    if (!(await this.#options.isWell(address)) || this.#failures !== failures) return;
    if (failures < FAILURES_UNTIL_INCOMPLETE) {
      void this.#interval.wake();
      return;
    }
    this.#checksum = '';
    this.#publish({ catalog: this.#incomplete(reason), views: 0 });
  }
}

function viewOf(row: Row): ViewDefinition {
  const definition = row.definition ?? '';
  return {
    schema: (row.view_schema ?? '').toLowerCase(),
    name: (row.view_name ?? '').toLowerCase(),
    definition: definition === '' ? null : definition,
  };
}

/** Independent of the order of the rows, which the server does not promise. */
function checksumOf(views: readonly ViewDefinition[], version: ServerVersion): string {
  const lines = views
    .map(({ schema, name, definition }) => JSON.stringify([schema, name, definition]))
    .sort();
  const hash = createHash('sha256').update(`${version.text}\n`);
  for (const line of lines) hash.update(line).update('\n');
  return hash.digest('base64');
}
