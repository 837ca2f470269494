/** What a worker loads only if it shares results. */

import type { Level2Settings } from '../../../common/cache-settings.ts';
import type { WorkerCausality } from '../../causal/worker-causality.ts';
import type { Freshness } from '../freshness.ts';
import { storeMaker } from './make-store.ts';
import { SecondLevel, type SecondLevelOptions } from './second-level.ts';
import { SharedPositions } from './shared-positions.ts';

export interface SharingOptions extends Pick<SecondLevelOptions, 'epochs' | 'counters' | 'log'> {
  readonly settings: Level2Settings;
  readonly freshness: Freshness;
  readonly causality: WorkerCausality;
}

export async function startSecondLevel(options: SharingOptions): Promise<SecondLevel> {
  const { settings, epochs, freshness, causality, counters, log } = options;
  const make = await storeMaker(settings);
  const positions = new SharedPositions(epochs, freshness, causality);
  return new SecondLevel({ settings, make, positions, epochs, counters, log });
}
