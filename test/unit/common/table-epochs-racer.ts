/** A thread that writes one table as fast as it can, and ends in the middle of a write. */

import { workerData } from 'node:worker_threads';
import { TableEpochs } from '../../../src/common/table-epochs.ts';

const { worker, buffers } = workerData;
const epochs = new TableEpochs(buffers);
for (let n = 0; n < 50_000; n++) {
  epochs.enter(worker, 1);
  epochs.raise(1);
  epochs.leave(worker, 1);
}
epochs.enter(worker, 1);
