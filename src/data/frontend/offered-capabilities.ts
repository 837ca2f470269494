/** What Sluice offers to clients, and which of it must be the same on the connections that serve them. */

import { Capability } from '../../../protocol/index.ts';

/** No compression, TLS or query attributes yet; no MariaDB extensions (bulk execute, metadata skipping). */
export const OFFERED_CAPABILITIES =
  Capability.CLIENT_LONG_PASSWORD |
  Capability.CLIENT_FOUND_ROWS |
  Capability.CLIENT_LONG_FLAG |
  Capability.CLIENT_CONNECT_WITH_DB |
  Capability.CLIENT_NO_SCHEMA |
  Capability.CLIENT_ODBC |
  Capability.CLIENT_LOCAL_FILES |
  Capability.CLIENT_IGNORE_SPACE |
  Capability.CLIENT_PROTOCOL_41 |
  Capability.CLIENT_INTERACTIVE |
  Capability.CLIENT_TRANSACTIONS |
  Capability.CLIENT_SECURE_CONNECTION |
  Capability.CLIENT_MULTI_STATEMENTS |
  Capability.CLIENT_MULTI_RESULTS |
  Capability.CLIENT_PS_MULTI_RESULTS |
  Capability.CLIENT_PLUGIN_AUTH |
  Capability.CLIENT_CONNECT_ATTRS |
  Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CLIENT_SESSION_TRACK |
  Capability.CLIENT_DEPRECATE_EOF;

/** Measured: with these a server answers, counts or refuses otherwise. */
const BEHAVIOUR =
  Capability.CLIENT_FOUND_ROWS |
  Capability.CLIENT_NO_SCHEMA |
  Capability.CLIENT_ODBC |
  Capability.CLIENT_LOCAL_FILES |
  Capability.CLIENT_IGNORE_SPACE |
  Capability.CLIENT_MULTI_STATEMENTS |
  Capability.CLIENT_MULTI_RESULTS |
  Capability.CLIENT_PS_MULTI_RESULTS;

/** Connections are shared among clients whose flags are equal. */
export function behaviourFlagsOf(clientCapabilities: number): number {
  return clientCapabilities & BEHAVIOUR;
}
