/**
 * Orders whose process is gone: a server goes on with a statement whose client has died, and would carry it out when the
 * lock that it waits for is free.
 */

import { describeError } from '../../monitor/server-error.ts';
import { until } from '../until.ts';
import { killOrder } from './kill-order.ts';
import type { ServerLink } from './server-link.ts';

const GONE_WITHIN_MS = 2000;

/** Of the account itself, whatever begins like an order of ours. */
const ORDERS = `SELECT ID AS id FROM information_schema.PROCESSLIST
  WHERE ID <> CONNECTION_ID() AND USER = SUBSTRING_INDEX(USER(), '@', 1)
    AND INFO REGEXP '^(SET GLOBAL|STOP|START|RESET|CHANGE) '`;

/** Only for who holds the lock of operations. @throws ServerOrderError; Error where one does not end */
export async function killOrphanedOrders(link: ServerLink): Promise<void> {
  const { flavor } = await link.version();
  const areGone = await until(async () => {
    const orders = await link.query(ORDERS);
    for (const { id } of orders) await link.query(killOrder(flavor, id ?? '')).catch(describeError);
    return orders.length === 0;
  }, GONE_WITHIN_MS);
  if (!areGone) throw new Error(`${link.address} is still busy with an order of a Sluice that is gone`);
}
