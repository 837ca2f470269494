/** Another process takes over from the first Sluice; clients connect again when theirs ends. */

import type { Stage } from '../stage.ts';

export async function handOver(stage: Stage): Promise<void> {
  await stage.noteHits();
  const old = stage.succession.pid;
  await stage.succession.handOver();
  await stage.succession.untilGone(old);
}
