/** Another process takes over from the first Sluice; clients connect again when theirs ends. */

import type { Stage } from '../stage.ts';

export async function handOver(stage: Stage): Promise<void> {
  const { succession, world } = stage;
  await stage.noteHits();
  const old = succession.pid;
  await succession.handOver();
  // So that both processes have clients that write, and ones that read.
  for (const session of world.sessions) session.isToConnectAgain = world.random.below(2) === 0;
  await succession.untilGone(old);
}
