/** A write with one of its rows looked at all the time: what was cached before must not be shown once it can be seen to be old. */

import type { Reader } from './reader.ts';
import type { Read } from './reads.ts';

/** Of a writer. */
export interface Watch {
  /** Its own session, which has heard of the write first. */
  readonly own: Reader;
  /** Another one, which sees it before. */
  readonly aside: Reader;
}

export async function watchedWrite(
  { own, aside }: Watch,
  read: Read,
  write: () => Promise<void>,
): Promise<void> {
  // What is asked for once more comes from the cache, of each worker.
  for (const reader of [own, own, aside, aside]) await reader.look(read, true);
  let isOver = false;
  const lookOn = async (): Promise<void> => {
    while (!isOver) for (const isCached of [false, true]) await aside.look(read, isCached);
  };
  const seen = lookOn();
  try {
    await write();
    await own.look(read, true);
  } finally {
    isOver = true;
    await seen;
  }
}
