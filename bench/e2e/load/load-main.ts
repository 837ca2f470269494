/** Entry point of the load process: one job, started over IPC, so that its CPU time is not the bench's own. */

import type { LoadCommand, LoadMessage } from './load-job.ts';
import { runJob } from './load-jobs.ts';

function tell(message: LoadMessage): void {
  process.send?.(message);
}

let finish: () => void = () => {};
const finishRequested = new Promise<void>((resolve) => {
  finish = resolve;
});

process.on('disconnect', () => process.exit(0));
process.on('message', (command: LoadCommand) => {
  if (command.kind === 'finish') {
    finish();
    return;
  }
  runJob(command.job, { finish: finishRequested, reached: () => tell({ kind: 'reached' }) }).then(
    (result) => tell({ kind: 'done', result }),
    (error: Error) => tell({ kind: 'failed', message: `${command.job.kind}: ${error.message}` }),
  );
});
