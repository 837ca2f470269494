/** A worker thread dies in the middle of what it does; its clients connect again. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { acceptsConnections } from '../../support/accepts-connections.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Stage } from '../stage.ts';

export const CRASH_HOOK = fileURLToPath(new URL('./crash-on-demand.ts', import.meta.url));

/** So late a write that is not answered yet has most likely been carried out. */
const LATE_MS = 4;
const LATE_WRITES = 2;
const LOOK_MS = 1;

export async function crashWorker(stage: Stage): Promise<void> {
  const before = crashes(stage);
  while (lateWrites(stage) < LATE_WRITES) await delay(LOOK_MS);
  await waitUntil('a worker is there to crash', () => tryOne(stage));
  await waitUntil('it is told of', () => crashes(stage) > before);
}

function lateWrites({ world }: Stage): number {
  const since = world.history.now() - LATE_MS;
  return world.sessions.filter(({ committingSince }) => committingSince !== null && committingSince < since)
    .length;
}

/** Of all Sluices, and all processes of the first one. */
function crashes({ sluices }: Stage): number {
  return sluices.flatMap(({ log }) => log.filter(({ msg }) => msg === 'worker crashed')).length;
}

async function tryOne({ crashFolder, world }: Stage): Promise<boolean> {
  const names = readdirSync(crashFolder);
  if (names.length === 0) return false;
  const path = join(crashFolder, world.random.pick(names));
  try {
    // Nobody is there any more if it has crashed before.
    return await acceptsConnections({ path });
  } finally {
    rmSync(path, { force: true });
  }
}
