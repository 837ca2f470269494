/**
 * A lock on the servers, held on connections of its own for as long as an operation runs. Servers free it when the
 * connection ends: so a process that was killed keeps nobody waiting, and one that lives is not disturbed.
 */

import type { MonitorCredentials, MonitorTarget } from '../monitor/monitor-connection.ts';
import { ServerLink } from './servers/server-link.ts';

const NAME = 'sluice.operation';
const TIMEOUT_MS = 2000;

/** @throws ServerOrderError */
export async function isLockFree(link: ServerLink): Promise<boolean> {
  const [row] = await link.query(`SELECT IS_FREE_LOCK('${NAME}') AS free`);
  return row?.free === '1';
}

export class OperationLock {
  readonly #links: readonly ServerLink[];

  private constructor(links: readonly ServerLink[]) {
    this.#links = links;
  }

  /**
   * @returns null where somebody holds it on one of the servers
   * @throws ServerOrderError for a server that cannot be reached
   */
  static async take(
    targets: readonly MonitorTarget[],
    credentials: MonitorCredentials,
  ): Promise<OperationLock | null> {
    const lock = new OperationLock(targets.map((target) => new ServerLink(target, credentials, TIMEOUT_MS)));
    try {
      // In one order for all who want it.
      for (const link of lock.#links.toSorted((a, b) => (a.address < b.address ? -1 : 1))) {
        const [row] = await link.query(`SELECT GET_LOCK('${NAME}', 0) AS taken`);
        if (row?.taken === '1') continue;
        lock.release();
        return null;
      }
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  release(): void {
    for (const link of this.#links) link.close();
  }
}
