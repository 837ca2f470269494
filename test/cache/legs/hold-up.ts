/** A read lock lets nothing be applied, and everything be read. */

import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseServer } from '../../support/database-server.ts';
import type { Stage } from '../stage.ts';
import type { Course } from './course.ts';

const LOOK_MS = 50;

export async function holdUp(
  stage: Stage,
  server: DatabaseServer,
  holdUpMs: number,
  course: Course,
): Promise<void> {
  const lock = await server.rootConnection();
  // Whoever waits for it, it is not a part of what is tested.
  await lock.query('SET SESSION lock_wait_timeout = 60');
  while (course.goesOn) {
    if (server === stage.primary) {
      await delay(LOOK_MS);
      continue;
    }
    await lock.query('FLUSH TABLES WITH READ LOCK');
    await delay(Math.random() * holdUpMs);
    await lock.query('UNLOCK TABLES');
    await delay(Math.random() * holdUpMs);
  }
  await lock.end();
}
