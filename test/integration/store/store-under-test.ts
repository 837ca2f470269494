/** A store of its own with what it is filled from, in a folder that goes away. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlRow, TableRows } from '../../../src/common/admin-tables/admin-table.ts';
import { createWorkerLogger, type LogRecord } from '../../../src/common/logger.ts';
import { type FilledRows, SqliteStore } from '../../../src/control/store/sqlite-store.ts';
import { StoreError } from '../../../src/control/store/store-error.ts';
import type { StoreClientLimits } from '../../../src/control/store/store-limits.ts';

export const CONTEXT = { version: '2.7.1-test', database: 'main', user: 'ops@127.0.0.1', connectionId: 7 };

export interface StoreUnderTestOptions {
  readonly dataDir?: string | null;
  readonly seed?: readonly TableRows[];
  readonly limits?: Partial<StoreClientLimits>;
}

export class StoreUnderTest {
  readonly store: SqliteStore;
  readonly log: LogRecord[] = [];
  /** What the provider of a table answers with; named `schema.table`. */
  readonly filled = new Map<string, FilledRows>();
  /** The tables that were asked for, in order. */
  readonly asked: string[] = [];
  seeded = 0;

  constructor({ dataDir = null, seed = [], limits = {} }: StoreUnderTestOptions = {}) {
    this.store = new SqliteStore({
      dataDir,
      logger: createWorkerLogger('debug', (record) => this.log.push(record)),
      seed: () => {
        this.seeded += 1;
        return seed;
      },
      fill: (table) => {
        this.asked.push(table);
        return this.filled.get(table) ?? [];
      },
      limits,
    });
  }

  execute(sql: string, role: 'admin' | 'stats' = 'admin', parameters: SqlRow = []) {
    return this.store.execute({ sql, role, parameters, context: CONTEXT });
  }

  async rows(sql: string, role: 'admin' | 'stats' = 'admin'): Promise<unknown[][]> {
    return [...(await this.execute(sql, role)).rows].map((row) => [...row]);
  }

  /** `kind: message` */
  async error(sql: string, role: 'admin' | 'stats' = 'admin'): Promise<string> {
    try {
      await this.execute(sql, role);
    } catch (error) {
      if (error instanceof StoreError) return `${error.kind}: ${error.message}`;
      throw error;
    }
    return 'accepted';
  }
}

export function temporaryFolder(t: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-store-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Only for an operator who wants it: numbers without an end. */
export const ENDLESS = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)';
