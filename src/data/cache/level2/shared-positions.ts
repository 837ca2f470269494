/**
 * What a result of the second level says of how fresh it is, and whether that is enough here. It names a GTID, and the history of the
 * primary's that its number is of, up to which all that was written to its tables is in it. Here it is as good as a read that is sent now, if nothing is known of a later write to
 * these tables, and everything of such writes would be: through this Sluice at once, past it within the follower's bound.
 */

import { isSameHistory } from '../../../common/gtid-history.ts';
import { gtidPosition, NO_POSITION, sourceIndexOf } from '../../../common/gtid-position.ts';
import { FollowState, type TableEpochs } from '../../../common/table-epochs.ts';
import type { WorkerCausality } from '../../causal/worker-causality.ts';
import type { Freshness } from '../freshness.ts';

const LABEL = /^(\d{1,16})\/(.*?)(\d{1,20})$/;

export class SharedPositions {
  readonly #epochs: TableEpochs;
  readonly #freshness: Pick<Freshness, 'followerHolds'>;
  readonly #causality: Pick<WorkerCausality, 'gtids' | 'sources' | 'needOf'>;

  constructor(
    epochs: TableEpochs,
    freshness: Pick<Freshness, 'followerHolds'>,
    causality: Pick<WorkerCausality, 'gtids' | 'sources' | 'needOf'>,
  ) {
    this.#epochs = epochs;
    this.#freshness = freshness;
    this.#causality = causality;
  }

  /**
   * What a strong read of these tables that is sent from now on certainly sees: a GTID, behind the history that it is of. ''
   * where nobody can say: without a follower, without GTIDs.
   */
  seenBy(slots: Int32Array): string {
    const { gtids, sources } = this.#causality;
    const source = sources.current;
    if (source === null || source.prefix === '' || !this.#isFollowing()) return '';
    let position = this.#epochs.settledPosition;
    if (source.flavor === 'mariadb') {
      // What is acknowledged is visible, and so is all in front of it in the binlog. On MySQL commits may overtake each other.
      for (let i = 0; i < slots.length; i++) {
        const written = gtids.written(slots[i]!);
        if (written > position && this.#epochs.isOwn(written)) position = written;
      }
    }
    // Of a primary that is none any more: what was read there may be lost.
    if (sourceIndexOf(position) !== source.index) return '';
    return `${this.#epochs.history}/${sources.textOf(position)}`;
  }

  /** To be asked after the epochs of these tables were noted, and before they are compared. */
  isEnough(gtid: string, slots: Int32Array): boolean {
    const { sources } = this.#causality;
    const source = sources.current;
    const [, history, prefix, digits] = LABEL.exec(gtid) ?? [];
    if (source === null || source.prefix === '' || prefix !== source.prefix || digits === undefined)
      return false;
    if (!this.#isFollowing() || !isSameHistory(Number(history), this.#epochs.history)) return false;
    const sequence = BigInt(digits);
    const since = this.#epochs.followedSince;
    if (since === NO_POSITION || sequence < source.base) return false;
    const position = gtidPosition(source, sequence);
    const need = this.#causality.needOf(slots);
    return position >= since && need >= NO_POSITION && position >= need;
  }

  #isFollowing(): boolean {
    const { followState, history } = this.#epochs;
    return followState === FollowState.following && history !== 0 && this.#freshness.followerHolds();
  }
}
