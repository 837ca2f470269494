/** What rules may ask about the session that a statement comes from. */

export interface RuleSession {
  readonly username: string;
  /** null without one. */
  readonly schema: string | null;
  /** Without the port; `localhost` for a Unix socket. */
  readonly clientAddress: string;
  /** Of Sluice's own that the client has connected to; '' and 0 for a Unix socket. */
  readonly proxyAddress: string;
  readonly proxyPort: number;
}
