/** Which server was the primary when somebody looked last, so that another one is noticed. */

import type { ServerAddress } from '../../topology/server-description.ts';

export interface PrimaryChange {
  /** Null for the first primary that is seen. */
  readonly from: ServerAddress | null;
  readonly to: ServerAddress;
}

export class KnownPrimary {
  #address: ServerAddress | null = null;

  /** The last that was seen, also while there is none; null before the first. */
  get address(): ServerAddress | null {
    return this.#address;
  }

  /** @returns null where it is the one of before, or there is none: a primary that is gone may come back */
  see({ primary }: { readonly primary: ServerAddress | null }): PrimaryChange | null {
    const from = this.#address;
    if (primary === null || primary === from) return null;
    this.#address = primary;
    return { from, to: primary };
  }
}
