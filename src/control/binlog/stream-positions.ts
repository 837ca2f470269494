/** The transactions of a stream as positions (`gtid-position.ts`), and in shared memory how far it has come without a hole. */

import { type GtidSource, gtidPosition, NO_POSITION } from '../../common/gtid-position.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import type { SeenMariadbGtids, SeenMysqlGtids, StreamGtid } from './seen-gtids.ts';

export class StreamPositions {
  readonly #epochs: Pick<TableEpochs, 'appliedPosition' | 'settledPosition' | 'followedSince'>;
  readonly #source: () => GtidSource | null;
  /** null: there is nothing to go on from. */
  #seen: SeenMysqlGtids | SeenMariadbGtids | null = null;
  /** Whether GTIDs with the last prefix were of the last source: strings are compared when one of them is another one. */
  #prefix = '';
  #prefixSource: GtidSource | null = null;
  #isOfSource = false;

  /** @param source the primary's, which is the current one; null while it is not known. */
  constructor(
    epochs: Pick<TableEpochs, 'appliedPosition' | 'settledPosition' | 'followedSince'>,
    source: () => GtidSource | null,
  ) {
    this.#epochs = epochs;
    this.#source = source;
  }

  get seen(): SeenMysqlGtids | SeenMariadbGtids | null {
    return this.#seen;
  }

  /** From behind these on. */
  begin(seen: SeenMysqlGtids | SeenMariadbGtids): void {
    this.#seen = seen;
  }

  /** 0 where it belongs to no source that is known, or is not behind its beginning. */
  of(gtid: StreamGtid | null): number {
    const source = this.#source();
    if (gtid === null || source === null || gtid.sequence <= source.base) return NO_POSITION;
    if (gtid.prefix !== this.#prefix || source !== this.#prefixSource) {
      this.#prefix = gtid.prefix;
      this.#prefixSource = source;
      // Others' numbers are none of this source, even where the server counts them in one line with its own.
      this.#isOfSource = gtid.prefix === source.prefix;
    }
    return this.#isOfSource ? gtidPosition(source, gtid.sequence) : NO_POSITION;
  }

  /** It has come, and was raised. @param position its own */
  ended(gtid: StreamGtid, position: number): void {
    const whole = this.#seen?.add(gtid);
    // In front of a hole nothing is missing.
    if (position !== NO_POSITION && whole === gtid.sequence) this.#epochs.appliedPosition = position;
  }

  /** Positions as they are now: the primary may have begun another source. @param settled null: as far as it has come */
  publish(settled: number | null): void {
    const source = this.#source();
    if (source === null || this.#seen === null) return;
    const epochs = this.#epochs;
    const applied = gtidPosition(source, this.#seen.sequenceOf(source.prefix));
    epochs.appliedPosition = applied;
    epochs.settledPosition = settled === null ? applied : Math.min(applied, settled);
    if (epochs.followedSince === NO_POSITION) epochs.followedSince = epochs.settledPosition;
  }
}
