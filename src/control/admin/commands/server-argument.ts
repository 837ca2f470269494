/** The `host:port` that DRAIN and UNDRAIN take. */

import { nearestName } from '../../../../config/nearest-name.ts';
import { formatServerAddress, splitServerAddress } from '../../../topology/server-address.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import type { AdministrativeStatus } from '../../../topology/server-health.ts';
import { AdminError, quoted } from '../admin-error.ts';
import type { AdminState } from '../admin-state.ts';
import { unquote } from '../admin-statement.ts';

/** @throws AdminError when the text is not `host:port` */
export function readServerArgument(text: string): ServerAddress {
  const address = unquote(text);
  const parts = splitServerAddress(address);
  if (parts === null) throw new AdminError('wrongArgument', `Expected 'host:port', not ${quoted(address)}`);
  return formatServerAddress(parts.host, parts.port);
}

/** @throws AdminError when there is no such server */
export function orderStatus(state: AdminState, address: ServerAddress, status: AdministrativeStatus): void {
  if (state.setServerStatus(address, status)) return;
  const nearest = nearestName(
    address,
    state.topology().servers.map((server) => server.address),
  );
  const hint = nearest === null ? 'SHOW TOPOLOGY lists the servers' : `did you mean '${nearest}'?`;
  throw new AdminError('wrongArgument', `There is no server ${quoted(address)}; ${hint}`);
}
