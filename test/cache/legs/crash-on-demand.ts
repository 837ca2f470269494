/**
 * To be imported before Sluice (`node --import`): each of its workers crashes when somebody connects to its socket in the
 * folder that `CHECKER_CRASH_FOLDER` names.
 */

import { createServer } from 'node:net';
import { join } from 'node:path';
import { isMainThread, threadId, workerData } from 'node:worker_threads';

const folder = process.env.CHECKER_CRASH_FOLDER;
if (folder === undefined) throw new Error('CHECKER_CRASH_FOLDER names no folder');

if (!isMainThread && Number.isInteger(workerData?.workerIndex)) {
  const server = createServer(() => {
    throw new Error('as the checker wants it');
  });
  server.listen(join(folder, `${process.pid}-${threadId}`));
  server.unref();
}
