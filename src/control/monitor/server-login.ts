/** The beginning of every connection of the main thread to a server: who logs in, and how it is secured. */

import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { Capability, ClientHandshake, uniteCapabilities } from '../../../protocol/index.ts';
import type { BackendTls } from '../../common/snapshot.ts';
import { TlsMode } from '../../topology/server-description.ts';
import type { MonitorCredentials, MonitorTarget } from './monitor-connection.ts';

const MAX_PACKET_BYTES = 0x4000_0000;

export interface LoginOptions {
  readonly programName: string;
  readonly collationId: number;
  /** Beyond those that a login takes. */
  readonly capabilities?: number;
}

export function loginTo(
  { tls }: MonitorTarget,
  { username, password }: MonitorCredentials,
  { programName, collationId, capabilities = 0 }: LoginOptions,
): ClientHandshake {
  return new ClientHandshake({
    username,
    password: { kind: 'plain', value: password },
    database: null,
    capabilities: uniteCapabilities(
      Capability.CLIENT_LONG_PASSWORD,
      Capability.CLIENT_LONG_FLAG,
      Capability.CLIENT_PROTOCOL_41,
      Capability.CLIENT_TRANSACTIONS,
      Capability.CLIENT_CONNECT_ATTRS,
      tls.mode === TlsMode.DISABLED ? 0 : Capability.CLIENT_SSL,
      capabilities,
    ),
    tlsOptional: tls.mode === TlsMode.PREFERRED,
    collationId,
    connectAttributes: { program_name: programName },
    maxPacketBytes: MAX_PACKET_BYTES,
    allowRsa: true,
    secureTransport: false,
  });
}

/** null: without TLS. Where nobody has read certificates, the system's authorities hold. */
export function tlsOf({ host, tls }: MonitorTarget, { resolveTls }: MonitorCredentials): BackendTls | null {
  const { mode } = tls;
  if (mode === TlsMode.DISABLED) return null;
  if (resolveTls !== undefined) return resolveTls(host, tls);
  return { mode, ca: null, certificate: null, key: null, minVersion: 'TLSv1.2', serverName: host };
}

/** TLS on a socket whose SSLRequest is on its way. What comes in clear is not looked at any more. */
export function secured(raw: Socket, tls: BackendTls): TLSSocket {
  raw.removeAllListeners('data');
  raw.removeAllListeners('close');
  const { ca, certificate, key, minVersion, mode, serverName } = tls;
  return connectTls({
    socket: raw,
    secureContext: createSecureContext({
      ...(ca === null ? {} : { ca }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
      minVersion,
    }),
    rejectUnauthorized: mode === TlsMode.VERIFY_CA || mode === TlsMode.VERIFY_IDENTITY,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_, peer) =>
      mode === TlsMode.VERIFY_IDENTITY ? checkServerIdentity(serverName, peer) : undefined,
  });
}
