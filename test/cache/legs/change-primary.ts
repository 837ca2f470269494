/** Planned changes of the primary, by the first Sluice. */

import type { Stage } from '../stage.ts';

export async function switchOver(stage: Stage): Promise<void> {
  const heir = stage.world.random.pick(stage.replicas);
  await stage.administer(`SWITCHOVER TO '${heir.address}'`);
  stage.primary = heir;
}
