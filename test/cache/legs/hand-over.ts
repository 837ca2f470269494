/**
 * Another process takes over from the first Sluice; clients connect again when theirs ends. What Sluice refuses for a while
 * (a worker has just crashed, an operation runs) is asked for again, as an operator would.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { HandoverRefused } from '../../support/succession.ts';
import type { Stage } from '../stage.ts';
import type { Course } from './course.ts';

const ATTEMPTS = 60;
const PAUSE_MS = 500;

export async function handOver(stage: Stage, course: Course): Promise<void> {
  const { succession, world } = stage;
  const old = succession.pid;
  await stage.configuring(() => untilTaken(stage, course));
  // So that both processes have clients that write, and ones that read.
  for (const session of world.sessions) session.isToConnectAgain = world.random.below(2) === 0;
  await succession.untilGone(old);
}

async function untilTaken(stage: Stage, course: Course): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const hits = await stage.hits();
    try {
      await stage.succession.handOver();
      stage.keepHits(hits);
      return;
    } catch (error) {
      if (!(error instanceof HandoverRefused) || attempt === ATTEMPTS) throw error;
      course.note(error.message);
      await delay(PAUSE_MS);
    }
  }
}
