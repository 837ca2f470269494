/**
 * Faults that a Sluice of the checker may be given, to see that a run finds them: each a change of one source, made as it is
 * loaded (`plant.ts`), and what a run does to find it.
 */

import { fileURLToPath } from 'node:url';
import type { CheckerOptions } from './checker-options.ts';

/** Makes the fault that `CHECKER_PLANTED_FAULT` names. */
export const PLANT_HOOK = fileURLToPath(new URL('./plant.ts', import.meta.url));

/** One place of one source. */
export interface SourceChange {
  /** Below the checkout. */
  readonly file: string;
  /** Stands in it once. */
  readonly from: string;
  readonly to: string;
}

export interface PlantedFault extends SourceChange {
  readonly name: string;
  readonly description: string;
  /** Where one place is not enough. */
  readonly also?: readonly SourceChange[];
  /** The leg that finds it. */
  readonly options: Partial<CheckerOptions>;
}

/** Mostly single rows, by their primary key. */
const ROWS: Partial<CheckerOptions> = { pinned: 80 };
/** Likewise; the follower, which makes up for it, hears late. */
const NEW_ROWS: Partial<CheckerOptions> = { pinned: 95, delayMs: 80, pauseMs: 10, operations: 60_000 };
/** What the follower tells would make up for much of what is wrong with own writes. */
const WITHOUT_FOLLOWER: Partial<CheckerOptions> = {
  config: { cache: { rules: [{ ruleId: 1, class: 'strong' }], follower: { mode: 'off' } } },
};

export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'epoch-not-compared',
    description: 'an entry outlives a write to its table',
    file: 'src/data/cache/freshness.ts',
    from: 'if (epochs.epoch(slots[0]!) !== proof.first) return false;',
    to: '',
    options: {},
  },
  {
    name: 'flux-ignored',
    description: 'entries are served, and made, while a write to their table is under way',
    file: 'src/data/cache/freshness.ts',
    from: '    if (epochs.flux(EVERYTHING) !== 0) return true;\n',
    to: '    if (slots !== null) return false;\n',
    options: {},
  },
  {
    name: 'commit-raises-nothing',
    description: 'what a COMMIT makes visible is not raised',
    file: 'src/data/cache/write-marks.ts',
    from: '    if (this.#committing === undefined) return;\n    const isRows',
    to: '    if (this.#committing !== null) return;\n    const isRows',
    options: {},
  },
  {
    name: 'rows-not-raised',
    description: 'single rows are never raised by the follower',
    file: 'src/common/table-epochs.ts',
    from: '    Atomics.add(this.#words, ROW + row, 1);',
    to: '',
    options: {},
  },
  {
    name: 'row-flux-ignored',
    description: 'entries of a row are served, and made, while that row is being written',
    file: 'src/data/cache/row-proof.ts',
    from: 'return isLone ? epochs.rows.row(row) !== 0 :',
    to: 'return isLone ? false :',
    options: ROWS,
  },
  {
    name: 'row-commit-without-flux',
    description: 'rows of a transaction are not in flux while its COMMIT is under way',
    file: 'src/data/cache/row-marks.ts',
    from: '    this.#committingCount = this.#count;\n    if (this.#count === 0) return;',
    to: '    if (this.#count >= 0) return;',
    options: ROWS,
  },
  {
    name: 'other-rows-untold',
    description: 'an entry of a row does not wait for the rows of writes of whole tables',
    file: 'src/data/cache/row-proof.ts',
    from: 'isLone ? epochs.rows.untold(table) :',
    to: 'isLone ? 0 :',
    options: ROWS,
  },
  {
    name: 'any-key-alone',
    description: 'entries of a row by another key than the primary one outlive writes by that',
    file: 'src/data/cache/row-pin.ts',
    from: 'key === keys?.lone',
    to: 'keys !== null',
    options: ROWS,
  },
  {
    name: 'empty-is-a-row',
    description: 'an answer without a row counts as one of a row that is there',
    file: 'src/data/cache/row-proof.ts',
    from: 'const hasRow = rowCount > 0 && proof.needsRow;',
    to: 'const hasRow = rowCount >= 0 && proof.needsRow;',
    options: NEW_ROWS,
  },
  {
    name: 'first-row-alone',
    description: 'of a statement with several rows only the first one is in flux, and raised',
    file: 'src/data/cache/written-rows.ts',
    from: 'return { table, row, others, keysVersion: known.version, made: null };',
    to: 'return { table, row, others: others.slice(others.length), keysVersion: known.version, made: null };',
    options: NEW_ROWS,
  },
  {
    name: 'replaces-its-key-alone',
    description: 'a row that has another unique key of a new one outlives a REPLACE',
    file: 'src/data/cache/written-rows.ts',
    from: 'if (insert.changesOthers && (!keys.isOnlyKey || assigns(insert.assigned, lone))) return null;',
    to: 'if (insert.changesOthers && assigns(insert.assigned, lone)) return null;',
    options: NEW_ROWS,
  },
  {
    name: 'switchover-too-early',
    description: 'the new primary need not have everything',
    file: 'src/control/failover/servers/mariadb-operator.ts',
    from: "return (await this.waited(sql, timeoutMs))?.late === '0';",
    to: 'return sql.length > timeoutMs || true;',
    options: { replicas: 2, holdUpMs: 1500, switchovers: 1 },
  },
  {
    name: 'shared-value-old',
    description: 'a result of the second level need not have what was written last',
    file: 'src/data/cache/level2/shared-positions.ts',
    from: 'return position >= since && need >= NO_POSITION && position >= need;',
    to: 'return position >= since && need >= NO_POSITION;',
    options: { foreign: 'second', level2: 'redis' },
  },
  {
    name: 'unmarked-without-rules',
    description: 'writes are not raised while no rule is in force, and entries of before are there still',
    file: 'src/data/router/caching/cache-policy.ts',
    from: "    this.#isSilent = this.#rules.count === 0 && settings.auto === 'off';\n",
    to: "    this.#isSilent = this.#rules.count === 0 && settings.auto === 'off';\n    Object.assign(globalThis, { isSilent: this.#isSilent });\n",
    also: [
      {
        file: 'src/data/cache/worker-marks.ts',
        from: '    if (slots === null) epochs.raiseEverything();\n',
        to: "    if (Reflect.get(globalThis, 'isSilent') === true) return;\n    if (slots === null) epochs.raiseEverything();\n",
      },
    ],
    options: { ...WITHOUT_FOLLOWER, operatorMs: 60 },
  },
  {
    name: 'heir-applies-nothing',
    description: 'the heir of a dead primary is promoted with a relay log that it has not executed',
    file: 'src/control/failover/failover/failover.ts',
    from: 'const hasAll = await this.#heir.waitForGtids(toApply, applyTimeoutMs);',
    to: 'const hasAll = applyTimeoutMs > 0;',
    options: { replicas: 2, failovers: 1 },
  },
];

export function faultNamed(name: string): PlantedFault {
  const fault = plantedFaults.find((one) => one.name === name);
  if (fault === undefined)
    throw new Error(`no fault ${name} among ${plantedFaults.map((one) => one.name).join(', ')}`);
  return fault;
}

export function changesOf({ file, from, to, also = [] }: PlantedFault): readonly SourceChange[] {
  return [{ file, from, to }, ...also];
}

/** @throws Error where it has no place, or several: the source is another one by now */
export function changed({ file, from, to }: SourceChange, source: string): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${file} has the place of a fault ${parts.length - 1} times`);
  return parts.join(to);
}
