/** A way to the servers, and what sessions on it have in common. */

import { Capability, decodeOk, decodeSessionState, SessionTrackType } from '../../../protocol/index.ts';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { CheckerConnection, type Endpoint } from './checker-connection.ts';

export interface Gate {
  /** Shown with chains, e.g. `own`, `direct`, `second`. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly flavor: ServerFlavor;
}

const TRACK_GTIDS: Readonly<Record<ServerFlavor, string>> = {
  mariadb: "SET SESSION session_track_system_variables = 'last_gtid'",
  mysql: "SET SESSION session_track_gtids = 'OWN_GTID'",
};

/** @param withGtids OKs of commits name their GTID */
export async function openAt(
  gate: Gate,
  deprecatesEof: boolean,
  withGtids = false,
): Promise<CheckerConnection> {
  const connection = await CheckerConnection.open(gate.endpoint, { deprecatesEof, tracksSession: withGtids });
  if (withGtids) await connection.query(TRACK_GTIDS[gate.flavor]);
  return connection;
}

/** Of what this OK has committed; null if it names none. */
export function gtidOf(okPayload: Buffer | null): string | null {
  if (okPayload === null) return null;
  const capabilities = Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_SESSION_TRACK;
  const { sessionState } = decodeOk(okPayload, capabilities);
  if (sessionState === null) return null;
  for (const change of decodeSessionState(sessionState)) {
    if (change.type === SessionTrackType.GTIDS) return change.gtids;
    if (change.type === SessionTrackType.SYSTEM_VARIABLES && change.name === 'last_gtid')
      return change.value === '' ? null : change.value;
  }
  return null;
}

export function affectedRowsOf(okPayload: Buffer | null): number {
  return okPayload === null ? 0 : okPayload[1]!;
}
