/** The configurations that have been in force, each with who brought it there. */

import type { Config } from '../../../config/schema.ts';

export interface AppliedVersion {
  /** From 1 at the start, one more for each that came into force. */
  readonly number: number;
  /** Whose content it has: its own number, or that of the version that it went back to. */
  readonly source: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** `'admin'@'127.0.0.1'`, `start` or `SIGHUP`. */
  readonly by: string;
  /** The statement, without secrets. */
  readonly what: string;
  /** Of the first snapshot that holds it. */
  readonly snapshotVersion: number;
  readonly config: Config;
}

const KEPT = 20;

export class VersionHistory {
  #versions: AppliedVersion[] = [];

  /** Oldest first, the one in force last. */
  get all(): readonly AppliedVersion[] {
    return this.#versions;
  }

  get current(): AppliedVersion {
    const current = this.#versions.at(-1);
    if (current === undefined) throw new Error('no configuration has come into force yet');
    return current;
  }

  /** @param source of the content, where it is not new */
  add(version: Omit<AppliedVersion, 'number' | 'source'>, source?: number): AppliedVersion {
    const number = (this.#versions.at(-1)?.number ?? 0) + 1;
    const added = Object.freeze({ ...version, number, source: source ?? number });
    this.#versions = [...this.#versions, added].slice(-KEPT);
    return added;
  }

  find(number: number): AppliedVersion | null {
    return this.#versions.find((version) => version.number === number) ?? null;
  }

  /** What was in force before the content that is now; null if that is not kept. */
  get previous(): AppliedVersion | null {
    return this.#versions.findLast(({ number }) => number < this.current.source) ?? null;
  }

  /** The one that a worker with this snapshot works with; null before the first. */
  ofSnapshot(snapshotVersion: number): AppliedVersion | null {
    return this.#versions.findLast((version) => version.snapshotVersion <= snapshotVersion) ?? null;
  }
}
