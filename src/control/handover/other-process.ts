/**
 * Fail closed while another process of Sluice serves clients in front of the same servers: what they write is seen here
 * when a server tells of it, and no promise may be made of it.
 *
 * - Nothing is proven for the result cache: everything is in flux, so that strong entries are neither served nor stored.
 * - Which writes a read must see is unknown: reads at the level `table` go to the primary. Those at `session` go on: what a
 *   session has written itself is known, and no session is in two processes.
 *
 * Both hold from the moment of the call, for all threads.
 */

import type { SharedGtids } from '../../common/shared-gtids.ts';
import { EVERYTHING, type TableEpochs } from '../../common/table-epochs.ts';

export interface OtherProcessParts {
  readonly epochs: TableEpochs;
  readonly gtids: SharedGtids;
  /** Definitions are to be read again, and nothing is to be proven by the old ones. */
  readonly schemaChanged: () => void;
  /** The primary is to be asked where it is. */
  readonly gtidsWanted: () => void;
}

export class OtherProcess {
  readonly #parts: OtherProcessParts;
  #isThere = false;

  constructor(parts: OtherProcessParts) {
    this.#parts = parts;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** It may serve clients from now on. */
  comes(): void {
    if (this.#isThere) return;
    this.#isThere = true;
    this.#parts.epochs.hold(EVERYTHING);
    this.#parts.gtids.holdUnknown();
  }

  /** It serves nobody any more. */
  goes(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    const { epochs, gtids, schemaChanged, gtidsWanted } = this.#parts;
    // Whatever it has written, definitions among it: before anything is proven again.
    schemaChanged();
    epochs.raiseEverything();
    epochs.release(EVERYTHING);
    // What it has written lies before where the primary is now.
    gtids.releaseUnknown();
    gtidsWanted();
  }
}
