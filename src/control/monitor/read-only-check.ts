/** Does the server take writes? Half of what makes a primary; the other half is replication-check.ts. */

import type { ReadOnlyProbe } from '../../topology/server-probe.ts';
import { isSwitchedOn, readGlobalVariables } from './global-variables.ts';
import type { MonitorConnection } from './monitor-connection.ts';

export async function checkReadOnly(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<ReadOnlyProbe> {
  const names = ['read_only', 'super_read_only', 'innodb_read_only'];
  const variables = await readGlobalVariables(connection, names, signal);
  if (!variables.has('read_only')) throw new Error('the server does not show its variable read_only');
  return {
    readOnly: isSwitchedOn(variables.get('read_only')),
    superReadOnly: isSwitchedOn(variables.get('super_read_only')),
    innodbReadOnly: isSwitchedOn(variables.get('innodb_read_only')),
  };
}
