/** What operators do to a cache that is in use: none of it may make it show anything else. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Stage } from '../stage.ts';
import type { Course } from './course.ts';

/** Statements that belong together: behind them all is as before. */
const ACTIONS: readonly (readonly string[])[] = [
  ['FLUSH CACHE'],
  ['FLUSH CACHE TABLE app.a'],
  ['FLUSH CACHE TABLE app.u', 'FLUSH CACHE TABLE app.e'],
  ['PROXYSQL FLUSH QUERY CACHE'],
  ['LOAD MYSQL VARIABLES TO RUNTIME'],
  ['LOAD MYSQL SERVERS TO RUNTIME'],
  ['LOAD MYSQL USERS TO RUNTIME'],
  // Nothing is cached in between: writes have to be marked all the same.
  [
    'UPDATE sluice_cache_rules SET active = 0',
    'LOAD MYSQL QUERY RULES TO RUNTIME',
    'UPDATE sluice_cache_rules SET active = 1',
    'LOAD MYSQL QUERY RULES TO RUNTIME',
  ],
  // Some tables are not cached in between.
  [
    "UPDATE sluice_cache_rules SET match_digest = 'FROM [a-d]'",
    'LOAD MYSQL QUERY RULES TO RUNTIME',
    'UPDATE sluice_cache_rules SET match_digest = NULL',
    'LOAD MYSQL QUERY RULES TO RUNTIME',
  ],
  ['SHOW CACHE', 'SHOW CACHE STATUS'],
];

/** Between the statements of an action, at most. */
const MAX_PAUSE_MS = 80;

export async function operate(stage: Stage, course: Course, everyMs: number): Promise<void> {
  const { random } = stage.world;
  while (course.goesOn) {
    await delay(random.below(2 * everyMs));
    const admin = await stage.sluice.adminConnection();
    try {
      await act(admin, random.pick(ACTIONS), () => random.below(MAX_PAUSE_MS));
    } finally {
      await admin.end();
    }
  }
}

async function act(admin: Connection, statements: readonly string[], pauseMs: () => number): Promise<void> {
  for (const [n, sql] of statements.entries()) {
    if (n > 0) await delay(pauseMs());
    await admin.query(sql);
  }
}
