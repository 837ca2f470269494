/**
 * Tells from the heartbeat that a replica has how far it is behind. Pure; one for each primary.
 *
 * What is compared are two heartbeats of one writer, by this process' own monotonic clock: whose clock made the
 * timestamps, in which time zone, does not matter. Of those that were seen on the primary, the one that was seen
 * earliest after it was made tells the difference between the two clocks best.
 */

/** Differences between clocks are taken from the heartbeats of this long: clocks drift. */
const WINDOW_MS = 60_000;
/** More of them than fit into the window. */
const MAX_MARKS = 1024;

interface Heartbeat {
  readonly timestampMs: number;
  readonly knownAtMs: number;
}

interface Mark {
  readonly atMs: number;
  readonly differenceMs: number;
}

export class HeartbeatClock {
  #newest: Heartbeat | null = null;
  #previous: Heartbeat | null = null;
  /** Ascending differences, of which the first is the one that counts; older ones than a smaller one are dropped. */
  readonly #marks: Mark[] = [];

  /**
   * The primary has this heartbeat.
   *
   * @param atMs monotonic: of an own one when it was made, of one that was found when the primary was asked
   * @param knownAtMs when the primary's answer came
   */
  seen(timestampMs: number, atMs: number, knownAtMs: number): void {
    if (this.#newest?.timestampMs === timestampMs) return;
    this.#previous = this.#newest;
    if (this.#newest !== null && timestampMs < this.#newest.timestampMs) {
      // The writer's clock went back, or another writer took over: nothing of before can be compared.
      this.#marks.length = 0;
      this.#previous = null;
    }
    this.#newest = { timestampMs, knownAtMs };
    const differenceMs = atMs - timestampMs;
    while (this.#marks.length > 0 && this.#marks.at(-1)!.differenceMs >= differenceMs) this.#marks.pop();
    this.#marks.push({ atMs, differenceMs });
    while (this.#marks[0]!.atMs < atMs - WINDOW_MS || this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /** For so long the primary is not known to have a new one; null: it never had one. */
  silenceMs(nowMs: number): number | null {
    return this.#newest === null ? null : nowMs - this.#newest.knownAtMs;
  }

  /**
   * How far a server is behind that had this heartbeat when it was asked at `askedAtMs`; null where nothing can be said.
   * Never less than it was: a replica that lacks a heartbeat is taken to lack everything since the one that it has. One
   * that has the newest lacks nothing that is known of.
   *
   * @param isFrozen there are no new heartbeats because there are no writes: what counts is what it lacks of the old ones
   */
  lagMs(timestampMs: number, askedAtMs: number, isFrozen: boolean): number | null {
    const newest = this.#newest;
    if (newest === null) return null;
    const isLater = newest.knownAtMs > askedAtMs;
    const expected = isLater && this.#previous !== null ? this.#previous : newest;
    if (timestampMs >= expected.timestampMs) return 0;
    if (isFrozen) return newest.timestampMs - timestampMs;
    return Math.max(0, askedAtMs - (timestampMs + this.#marks[0]!.differenceMs));
  }
}
