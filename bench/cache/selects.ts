/** How much of what was asked has come to the servers: the rest are hits. */

import type { BackendServers } from '../e2e/backend-servers.ts';

/** SELECTs that all servers have executed since they started. */
export async function selectsOf({ set }: BackendServers): Promise<number> {
  let count = 0;
  for (const server of set.servers) {
    const [row] = await server.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_select'");
    count += Number(row?.Value);
  }
  return count;
}
