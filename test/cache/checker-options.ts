/** What a run of the checker is asked to do. */

import type { ServerFlavor } from '../../src/topology/server-description.ts';
import type { SharedCacheKind } from '../support/shared-cache-server.ts';
import type { ConfigObject } from '../support/sluice-process.ts';

/** Where writes that the first Sluice does not see come from. */
export type Foreign = 'none' | 'direct' | 'second';

export interface CheckerOptions {
  readonly flavor: ServerFlavor;
  readonly replicas: number;
  readonly seed: number;
  /** Reads and statements of writers; the run ends with the first of both limits. */
  readonly operations: number;
  readonly seconds: number;
  readonly writers: number;
  readonly readers: number;
  readonly foreign: Foreign;
  /** For every Sluice, e.g. its cache. */
  readonly config: ConfigObject;
  /** How old anything may be: that of a weak rule; 0 for strong. */
  readonly boundMs: number;
  /** How old what comes around Sluice may be. */
  readonly foreignBoundMs: number;
  /** Of each hundred steps of a writer, how many break a connection or a statement. */
  readonly disturbances: number;
  /** Every other step of a writer is followed by a pause of up to so long: what is always written is never cached. */
  readonly pauseMs: number;
  /** Replicas apply nothing for up to so long, again and again; 0: never. */
  readonly holdUpMs: number;
  /**
   * Now and then what servers answer reaches Sluice so much later, at most: others see what a write has done before Sluice
   * knows that it is done. 0: never.
   */
  readonly delayMs: number;
  /** Planned changes of the primary, by the first Sluice. */
  readonly switchovers: number;
  /** Primaries that die, with everybody else running; MariaDB's then lose nothing (`legs/fail-over.ts`). Not with `holdUpMs`. */
  readonly failovers: number;
  /** Worker threads that die, of any Sluice. */
  readonly workerCrashes: number;
  /** What all Sluices share results in. */
  readonly level2: SharedCacheKind | null;
  /** Its server dies, and comes back empty. */
  readonly level2Restarts: number;
  /** Another process takes over from the first Sluice. */
  readonly handovers: number;
  /** About so often operators flush, load and look; 0: never. */
  readonly operatorMs: number;
  /** Of each hundred reads and writes, how many more are of a single row, by its primary key. */
  readonly pinned: number;
  /** A fault of `planted-faults.ts` that the Sluices have; a run that finds nothing then is of no use. */
  readonly planted: string | null;
}

/** What a run does unless it is told. */
export const DEFAULT_OPTIONS = {
  replicas: 0,
  seconds: 600,
  writers: 6,
  readers: 12,
  foreign: 'none',
  foreignBoundMs: 500,
  disturbances: 2,
  pauseMs: 40,
  holdUpMs: 0,
  delayMs: 12,
  switchovers: 0,
  failovers: 0,
  workerCrashes: 0,
  level2: null,
  level2Restarts: 0,
  handovers: 0,
  operatorMs: 0,
  pinned: 20,
  planted: null,
} as const satisfies Partial<CheckerOptions>;
