/** What one client, and all together, may take of the main thread. */

export interface AdminLimits {
  /** Sessions that have logged in. */
  readonly maxSessions: number;
  /** Connections that have not; the oldest makes room, so that nobody keeps operators out by saying nothing. */
  readonly maxLogins: number;
  /** Of one packet of a session; a login needs far less. */
  readonly maxPacketBytes: number;
  /** From the connection to the end of the login. */
  readonly loginTimeoutMs: number;
  /** Between two packets of a session. */
  readonly idleTimeoutMs: number;
  /** For a client to take what it asked for. */
  readonly writeTimeoutMs: number;
  /** For one command. */
  readonly commandTimeoutMs: number;
}

export const DEFAULT_ADMIN_LIMITS: AdminLimits = Object.freeze({
  maxSessions: 64,
  maxLogins: 64,
  maxPacketBytes: 1024 * 1024,
  loginTimeoutMs: 10_000,
  // The default of MySQL's wait_timeout: tools keep a connection between two visits.
  idleTimeoutMs: 28_800_000,
  writeTimeoutMs: 60_000,
  commandTimeoutMs: 10_000,
});
