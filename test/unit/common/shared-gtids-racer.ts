/** A thread that raises a slot as fast as it can. */

import { workerData } from 'node:worker_threads';
import { SharedGtids } from '../../../src/common/shared-gtids.ts';

const { thread, buffers } = workerData;
const gtids = new SharedGtids(buffers);
for (let n = 1; n <= 100_000; n++) {
  gtids.raise(1, n * 2 + thread);
  if (n % 1000 === 0) gtids.setUnknown(2);
}
