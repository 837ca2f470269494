/** Why the binlog cannot be followed, and what an operator can do about it: shown in events, log and admin as it stands. */

export const SuspensionCause = {
  noBinlog: 'no-binlog',
  noGtids: 'no-gtids',
  filtered: 'binlog-filtered',
  statementFormat: 'statement-format',
  privilege: 'missing-privilege',
  sameServerId: 'same-server-id',
  purged: 'binlog-purged',
  reset: 'binlog-reset',
  incident: 'incident',
  unreadable: 'unreadable-event',
  unknownEvent: 'unknown-event',
  unknownTable: 'unknown-table',
  checksum: 'wrong-checksum',
  refused: 'refused',
} as const;
export type SuspensionCause = (typeof SuspensionCause)[keyof typeof SuspensionCause];

const REMEDIES: Readonly<Record<SuspensionCause, string>> = {
  'no-binlog': 'start the server with log_bin, or set cache.follower.mode to off',
  'no-gtids': 'set gtid_mode=ON and enforce_gtid_consistency=ON on the server, or cache.follower.mode to off',
  'binlog-filtered':
    'take binlog-do-db and binlog-ignore-db out of the options of the server, or set cache.follower.mode to off',
  'statement-format': 'set binlog_format=ROW on the server, or cache.follower.mode to off',
  'missing-privilege': 'give the privilege; Sluice goes on by itself',
  'same-server-id': 'give cache.follower.serverId a number that no server and no other Sluice has, or none',
  'binlog-purged': 'nothing: Sluice begins anew from where the server is now',
  'binlog-reset': 'nothing: Sluice begins anew from where the server is now',
  incident: 'look into the log of the server; Sluice begins anew from where the server is now',
  'unreadable-event': 'nothing, unless it comes again: Sluice begins anew from where the server is now',
  'unknown-event': 'nothing, unless it comes again: Sluice begins anew from where the server is now',
  'unknown-table': 'nothing, unless it comes again: Sluice begins anew from where the server is now',
  'wrong-checksum':
    'look at the memory and the network of the server; Sluice begins anew from where the server is now',
  refused: 'see what the server says; Sluice tries again by itself',
};

/** Thrown by whatever finds out that strong entries cannot be vouched for. */
export class FollowerSuspension extends Error {
  readonly suspension: SuspensionCause;
  readonly remedy: string;

  /** @param detail a sentence without a full stop, for people. */
  constructor(suspension: SuspensionCause, detail: string, remedy: string = REMEDIES[suspension]) {
    super(detail);
    this.name = 'FollowerSuspension';
    this.suspension = suspension;
    this.remedy = remedy;
  }
}
