/** What operators order of the result caches of all workers. */

import { RaiseCause, type TableEpochs } from '../../common/table-epochs.ts';
import { tableSlot } from '../../common/table-slots.ts';
import type { ToWorker } from '../../common/thread-messages.ts';

export class CacheOrders {
  readonly #epochs: TableEpochs;
  readonly #tellAll: (message: ToWorker) => void;
  #isWatching = false;

  constructor(epochs: TableEpochs, tellAll: (message: ToWorker) => void) {
    this.#epochs = epochs;
    this.#tellAll = tellAll;
  }

  /** All workers watch what a cache would do (`CacheAdvice`), until they are asked. @returns false if they do already */
  beginWatch(): boolean {
    if (this.#isWatching) return false;
    this.#isWatching = true;
    this.#tellAll({ type: 'watchCache' });
    return true;
  }

  endWatch(): void {
    this.#isWatching = false;
  }

  /** Nothing that is stored now, or is being read, is served again. */
  flush(): void {
    this.#epochs.flush();
    this.#tellAll({ type: 'flushCache', table: null, digest: null });
  }

  /** Likewise what was read of this table, or of a view that stands on it; of all classes. */
  flushTable(schema: string, table: string): void {
    const slot = tableSlot(schema, table);
    this.#epochs.raiseStructure(slot, RaiseCause.flush);
    // Of what is not proven, and of what is shared with other Sluices, workers have to be told.
    this.#tellAll({ type: 'flushCache', table: slot, digest: null });
  }

  /** @param digest its name. Workers do it when they have the message. */
  flushDigest(digest: string): void {
    this.#tellAll({ type: 'flushCache', table: null, digest });
  }
}
