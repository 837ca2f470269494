/** What Sluice offers to clients, and which of it must be the same on the connections that serve them. */

import { Capability, MariadbCapability, parseServerVersion } from '../../../protocol/index.ts';

/** No query attributes yet. */
const OFFERED_CAPABILITIES =
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
  Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS |
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

/** From 10.5.2 on MariaDB tells what the type byte does not: JSON, UUID, INET6, the kinds of geometry. */
const EXTENDED_METADATA_SINCE = 100_502;

export interface OfferedCapabilities {
  readonly capabilities: number;
  readonly mariadbCapabilities: number;
}

export interface TransportOffer {
  readonly tls: boolean;
  readonly compression: boolean;
}

/**
 * No bulk execute and no metadata skipping of MariaDB. Its servers leave CLIENT_LONG_PASSWORD out to say that
 * capabilities of their own follow.
 *
 * @param serverVersion as it is announced
 */
export function offeredCapabilities(serverVersion: string, transport: TransportOffer): OfferedCapabilities {
  const tls = transport.tls ? Capability.CLIENT_SSL : 0;
  const compression = transport.compression
    ? Capability.CLIENT_COMPRESS | Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM
    : 0;
  const capabilities = OFFERED_CAPABILITIES | tls | compression;
  const { isMariadb, versionId } = parseServerVersion(serverVersion);
  if (!isMariadb || versionId < EXTENDED_METADATA_SINCE) return { capabilities, mariadbCapabilities: 0 };
  return {
    capabilities: capabilities & ~Capability.CLIENT_LONG_PASSWORD,
    mariadbCapabilities: MariadbCapability.MARIADB_CLIENT_EXTENDED_METADATA,
  };
}

/** Connections are shared among clients whose flags are equal. */
export function behaviourFlagsOf(clientCapabilities: number): number {
  return clientCapabilities & BEHAVIOUR;
}
