/** The real worker, which throws where nobody catches it when the announced version says `crash <its index>`. */

import { parentPort, workerData } from 'node:worker_threads';
import type { ToWorker, WorkerStart } from '../../../src/common/thread-messages.ts';
import '../../../src/data/worker.ts';

const { workerIndex } = workerData as WorkerStart;

parentPort!.on('message', (message: ToWorker) => {
  if (message.type === 'snapshot' && message.snapshot.serverVersion === `crash ${workerIndex}`)
    throw new Error('as the test wants it');
});
