/**
 * What a read asks of the server that answers it, besides being fit. A session has one such object and fills it for
 * each statement, so that nothing is allocated for a choice.
 */

export interface ReadNeeds {
  /** 32 bits, the same for reads that should meet the same server; -1: any will do. */
  readonly affinity: number;
  /** The server may be so far behind; -1: as far as its own limit says. */
  readonly maxLagMs: number;
  /** What the server must have applied (gtid-position.ts); 0: nothing in particular. */
  readonly neededGtid: number;
}

export class StatementNeeds implements ReadNeeds {
  affinity = -1;
  maxLagMs = -1;
  neededGtid = 0;

  clear(): void {
    this.affinity = -1;
    this.maxLagMs = -1;
    this.neededGtid = 0;
  }
}
