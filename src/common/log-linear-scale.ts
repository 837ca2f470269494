/**
 * Steps for histograms of whole numbers that grow with the value (as in HDR histograms): every octave is cut into the
 * same number of steps, so that the relative error is the same everywhere. Counts lie in typed arrays of whoever keeps
 * them; this only says which place is whose.
 */

/** The largest value that is told apart: of microseconds, 35 minutes. */
const MAX_VALUE = 2 ** 31 - 1;
const MAX_BITS = 31;

export class LogLinearScale {
  readonly #bits: number;
  readonly #perOctave: number;
  /** How many steps there are. */
  readonly steps: number;
  readonly #largest: number;

  /**
   * @param bits an octave has 2^bits steps: a value is known to 1 / 2^(bits + 1) of itself.
   * @param octaves values of 2^octaves and above fall into the last step.
   */
  constructor(bits: number, octaves: number = MAX_BITS) {
    this.#bits = bits;
    this.#perOctave = 2 ** bits;
    this.steps = (octaves - bits + 1) * this.#perOctave;
    this.#largest = octaves === MAX_BITS ? MAX_VALUE : 2 ** octaves - 1;
  }

  /** @param value a whole number; what is below 0 counts as 0. */
  stepOf(value: number): number {
    if (value < this.#perOctave) return Math.max(value, 0);
    const capped = Math.min(value, this.#largest);
    const shift = 31 - Math.clz32(capped) - this.#bits;
    return (shift + 1) * this.#perOctave + ((capped >>> shift) - this.#perOctave);
  }

  /** The smallest value of a step. */
  lowest(step: number): number {
    const octave = Math.floor(step / this.#perOctave);
    if (octave === 0) return step;
    return (this.#perOctave + (step % this.#perOctave)) * 2 ** (octave - 1);
  }

  /** The largest value of a step. */
  highest(step: number): number {
    return this.lowest(step + 1) - 1;
  }

  /** What is said of all values of a step: its middle. */
  middle(step: number): number {
    return (this.lowest(step) + this.highest(step)) / 2;
  }

  /**
   * The value that this share of all is not above, to the step's width; null where there is none.
   * @param counts one for each step. @param share from 0 to 1.
   */
  percentile(counts: ArrayLike<number>, share: number): number | null {
    let total = 0;
    for (let step = 0; step < this.steps; step++) total += counts[step] ?? 0;
    if (total === 0) return null;
    const rank = Math.max(1, Math.ceil(share * total));
    let seen = 0;
    for (let step = 0; step < this.steps; step++) {
      seen += counts[step] ?? 0;
      if (seen >= rank) return this.middle(step);
    }
    return null;
  }
}

/** Of all statements of a hostgroup: a value is known to 1.6 %. */
export const HOSTGROUP_SCALE = new LogLinearScale(5);
/** Of one digest, of which there are many: to 12.5 %, and up to 268 seconds. */
export const DIGEST_SCALE = new LogLinearScale(2, 28);
