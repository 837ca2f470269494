/** The name of a Unix socket, which outlives a process that was killed, and one that has handed its socket over. */

import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';

/** Of `sockaddr_un.sun_path`, without its last byte. */
const MAX_PATH_BYTES = 107;
const SUFFIX_BYTES = 5;

/**
 * Listens there. Node removes the name that it has bound when the server is closed, whoever else has the socket: so it
 * binds another one, which is then renamed. It also has its permissions before anybody can find it.
 * @returns for `removeSocketPath`
 * @throws Error if something else than a dead socket has the name
 */
export async function listenOnPath(
  server: Server,
  path: string,
  { mode, backlog }: { readonly mode: number; readonly backlog?: number },
): Promise<number> {
  if (Buffer.byteLength(path) + SUFFIX_BYTES > MAX_PATH_BYTES)
    throw new Error(
      `${path} is longer than ${MAX_PATH_BYTES - SUFFIX_BYTES} bytes, the most for a Unix socket`,
    );
  await clearSocketPath(path);
  const bound = `${path}.${randomBytes(2).toString('hex')}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: bound, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(bound, mode);
  renameSync(bound, path);
  return socketInode(path);
}

/** Of the socket that has the name now; 0 for none. */
export function socketInode(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSocket() === true ? stat.ino : 0;
}

/** Unless somebody else's socket has the name by now. */
export function removeSocketPath(path: string, inode: number): void {
  if (inode !== 0 && socketInode(path) === inode) rmSync(path, { force: true });
}

/**
 * Makes the name free if a dead process has left its socket there.
 * @throws Error if somebody listens there, or it is no socket: nothing is removed then.
 */
async function clearSocketPath(path: string): Promise<void> {
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
