/** A store with a clock of its own, whose every commit has a known moment: what it is asked at a moment, it knows. */

import { Chain, type Change, type Unit } from '../../cache/model/chain.ts';
import type { Observation } from '../../cache/model/check-read.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

const CELLS = 4;
const STATES_KEPT = 40;

type Fate = 'commits' | 'fails' | 'unknown';

interface UnderWay {
  readonly unit: Unit;
  readonly fate: Fate;
  readonly happens: boolean;
  readonly commitsAt: number;
  readonly answeredAt: number;
  /** Values of all cells behind it. */
  readonly values: readonly (number | null)[];
}

/** One session that writes; `step` brings it to a time. */
export class SimulatedWriter {
  chain: Chain;
  readonly #random: SeededRandom;
  readonly #name: string;
  #generation = 0;
  #underWay: UnderWay | null = null;
  /** Values of all cells, from when on; the newest last. */
  states: {
    readonly from: number;
    readonly acknowledgedAt: number;
    readonly values: readonly (number | null)[];
  }[];

  constructor(name: string, random: SeededRandom) {
    this.#name = name;
    this.#random = random;
    this.chain = this.#newChain();
    this.states = [noRows(Number.NEGATIVE_INFINITY)];
  }

  #newChain(): Chain {
    const chain = new Chain(`${this.#name}.${this.#generation++}`, 'own');
    for (let n = 0; n < CELLS; n++) chain.cell(String(n));
    return chain;
  }

  /** Sends something, or goes on with what was sent. */
  step(now: number): void {
    const { chain } = this;
    const underWay = this.#underWay;
    if (underWay === null) {
      if (this.#random.below(10) === 0) chain.discard([this.#change(0)]);
      this.#send(now);
      return;
    }
    if (now < underWay.answeredAt) return;
    this.#underWay = null;
    if (underWay.fate === 'commits') chain.acknowledge(underWay.unit, now);
    else if (underWay.fate === 'fails') chain.takeBack(underWay.unit);
    else {
      chain.end();
      this.chain = this.#newChain();
      this.states = [noRows(now)];
    }
  }

  #send(now: number): void {
    const first = this.#random.below(CELLS);
    const cells = this.#random.below(2) === 0 ? [first] : [first, (first + 1) % CELLS];
    const changes = cells.map((cell) => this.#change(cell));
    const kind = this.#random.below(40);
    const fate = kind === 0 ? 'unknown' : kind < 4 ? 'fails' : 'commits';
    const happens = fate === 'commits' || (fate === 'unknown' && this.#random.below(2) === 0);
    const commitsAt = now + 0.1 + this.#random.next() * 3;
    const answeredAt = commitsAt + this.#random.next();
    const values = [...this.states.at(-1)!.values];
    for (const [index, { stamp, absent }] of changes.entries()) values[cells[index]!] = absent ? null : stamp;
    this.#underWay = { unit: this.chain.send(changes, now), fate, happens, commitsAt, answeredAt, values };
    if (!happens) return;
    const acknowledgedAt = fate === 'commits' ? answeredAt : Number.POSITIVE_INFINITY;
    this.states.push({ from: commitsAt, acknowledgedAt, values });
    if (this.states.length > STATES_KEPT) this.states.shift();
  }

  #change(cell: number): Change {
    const absent = this.#random.below(6) === 0;
    return { cell: this.chain.cell(String(cell)), stamp: this.chain.nextStamp(), absent };
  }

  stateAt(moment: number): readonly (number | null)[] {
    return (this.states.findLast(({ from }) => from <= moment) ?? this.states[0]!).values;
  }

  /** Whether these rows were certainly others from `time` on. */
  isStale(values: readonly (number | null)[], time: number): boolean {
    // What is under way may have happened, for all that anybody knows: rows that it deletes look like rows before they were made.
    if (this.#underWay !== null && sameRows(this.#underWay.values, values)) return false;
    const since = this.states.findLastIndex(({ acknowledgedAt }) => acknowledgedAt < time);
    return this.states.slice(Math.max(0, since)).every((state) => !sameRows(state.values, values));
  }

  observe(values: readonly (number | null)[]): Observation[] {
    return values.map((stamp, cell) => ({ cell: this.chain.cell(String(cell)), stamp }));
  }
}

function sameRows(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return a.every((value, cell) => value === b[cell]);
}

function noRows(from: number): SimulatedWriter['states'][number] {
  return { from, acknowledgedAt: from, values: new Array<number | null>(CELLS).fill(null) };
}
