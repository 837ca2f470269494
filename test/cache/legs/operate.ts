/** What operators do to a cache that is in use: none of it may make it show anything else. */

import { setTimeout as delay } from 'node:timers/promises';
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
const ATTEMPTS = 5;

/** A new process starts with the configuration that it was given: what begins with others ends with others. */
const CHANGES = /^(?:UPDATE|LOAD)/;

export async function operate(stage: Stage, course: Course, everyMs: number): Promise<void> {
  const { random } = stage.world;
  while (course.goesOn) {
    await delay(random.below(2 * everyMs));
    const action = random.pick(ACTIONS);
    if (action.some((sql) => CHANGES.test(sql))) await stage.configuring(() => untilDone(stage, action));
    // May meet a process that ends.
    else await act(stage, action).catch(ignoreLoss);
  }
}

/** What was begun is not left half done, whichever process it has met. */
async function untilDone(stage: Stage, action: readonly string[]): Promise<void> {
  let isDone = false;
  for (let attempt = 1; !isDone; attempt++) {
    isDone = await act(stage, action).then(
      () => true,
      (error: Error) => {
        if (attempt === ATTEMPTS) throw error;
        ignoreLoss(error);
        return false;
      },
    );
  }
}

async function act({ sluice, world }: Stage, statements: readonly string[]): Promise<void> {
  const admin = await sluice.adminConnection();
  // Between two statements nobody waits for an answer that could say so.
  admin.on('error', () => undefined);
  try {
    for (const [n, sql] of statements.entries()) {
      if (n > 0) await delay(world.random.below(MAX_PAUSE_MS));
      await admin.query(sql);
    }
  } finally {
    admin.destroy();
  }
}

/** What a server has answered has a number. */
function ignoreLoss(error: Error & { readonly errno?: number }): void {
  if (error.errno !== undefined && error.errno > 0) throw error;
}
