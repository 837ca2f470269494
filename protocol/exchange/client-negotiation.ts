/** What a client asks of a server in its handshake, and what both have in common. */

import {
  Capability,
  intersectCapabilities,
  uniteCapabilities,
  withoutCapabilities,
} from '../constants/capability-flags.ts';
import type { HandshakeV10 } from '../packets/handshake-v10.ts';
import type { SslRequest } from '../packets/ssl-request.ts';
import type { ClientPassword } from './client-credential.ts';

export interface ClientHandshakeOptions {
  readonly username: string;
  readonly password: ClientPassword;
  readonly database: string | null;
  /** Wanted; what is negotiated is the common part. CLIENT_SSL asks for TLS and fails if the server has none. */
  readonly capabilities: number;
  /** A server without TLS is talked to without it, in spite of CLIENT_SSL in `capabilities`. */
  readonly tlsOptional?: boolean;
  /** Wanted of MariaDB's upper half; only a MariaDB server is told. */
  readonly mariadbCapabilities?: number;
  readonly collationId: number;
  readonly connectAttributes: Readonly<Record<string, string>>;
  readonly maxPacketBytes: number;
  /** Whether a password may be sent under an RSA key that the server sends on an unsecured transport. */
  readonly allowRsa: boolean;
  /** TLS from the start, or a Unix socket: passwords may be sent as they are. */
  readonly secureTransport: boolean;
}

/** What both sides have. */
export interface NegotiatedCapabilities {
  readonly capabilities: number;
  /** 0 where the server is no MariaDB. */
  readonly mariadbCapabilities: number;
}

/** Without these a server is too old to talk to. */
const REQUIRED = uniteCapabilities(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_SECURE_CONNECTION);

/** @returns null where the server lacks what a handshake takes */
export function negotiateCapabilities(
  options: ClientHandshakeOptions,
  offered: Pick<HandshakeV10, 'capabilities' | 'mariadbCapabilities'>,
): NegotiatedCapabilities | null {
  if (intersectCapabilities(offered.capabilities, REQUIRED) !== REQUIRED) return null;
  const { database, connectAttributes } = options;
  const wanted = withoutCapabilities(
    uniteCapabilities(options.capabilities, REQUIRED, Capability.CLIENT_PLUGIN_AUTH),
    uniteCapabilities(
      database === null ? Capability.CLIENT_CONNECT_WITH_DB : 0,
      Object.keys(connectAttributes).length === 0 ? Capability.CLIENT_CONNECT_ATTRS : 0,
    ),
  );
  const withDatabase = database === null ? wanted : wanted | Capability.CLIENT_CONNECT_WITH_DB;
  return {
    capabilities: intersectCapabilities(withDatabase, offered.capabilities),
    mariadbCapabilities: intersectCapabilities(options.mariadbCapabilities ?? 0, offered.mariadbCapabilities),
  };
}

/** What an SSLRequest and a HandshakeResponse41 begin with. */
export function responseHead(
  options: ClientHandshakeOptions,
  negotiated: NegotiatedCapabilities,
): SslRequest {
  const { maxPacketBytes, collationId } = options;
  const { mariadbCapabilities } = negotiated;
  // MySQL's own flag would tell a MariaDB server that no extended capabilities follow.
  const capabilities =
    mariadbCapabilities === 0
      ? negotiated.capabilities
      : withoutCapabilities(negotiated.capabilities, Capability.CLIENT_LONG_PASSWORD);
  return { capabilities, mariadbCapabilities, maxPacketBytes, collationId };
}
