/** What a failover leaves on the new primary: whose place it has taken, for any Sluice that meets the old one. */

import { OperationKind, OperationOutcome } from '../operation-event.ts';
import { beginRecord, endRecord, type OperationRecord, readRunningOperation } from '../operation-record.ts';
import type { ServerLink } from '../servers/server-link.ts';

/** @throws ServerOrderError */
export async function recordFailover(
  link: ServerLink,
  { id, from, to }: Pick<OperationRecord, 'id' | 'from' | 'to'>,
  keptDays: number,
): Promise<void> {
  // Whatever the dead primary was in the middle of will not be finished.
  const left = await readRunningOperation(link);
  if (left !== null)
    await endRecord(link, left.id, OperationOutcome.failed, `a failover to ${to} came in between`);
  await beginRecord(link, { id, kind: OperationKind.failover, from, to }, keptDays);
  await endRecord(link, id, OperationOutcome.done, '');
}
