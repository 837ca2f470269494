/** The name of a Unix socket, which outlives a process that was killed. */

import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Makes the name free if a dead process has left its socket there.
 * @throws Error if somebody listens there, or it is no socket: nothing is removed then.
 */
export async function clearSocketPath(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} exists and is no socket`);
  if (await isAlive(path)) throw new Error(`somebody else listens on ${path}`);
  rmSync(path, { force: true });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // EAGAIN: alive, with a full queue. ENOENT: gone meanwhile.
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}
