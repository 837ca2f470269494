/** The second level's server dies, with all that it has, and comes back empty. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Stage } from '../stage.ts';

const MAX_DOWN_MS = 300;

export async function restartSecondLevel({ shared, world }: Stage): Promise<void> {
  if (shared === null) throw new Error('there is no second level');
  await shared.kill();
  await delay(world.random.below(MAX_DOWN_MS));
  await shared.start();
}
