/** What a writer does with tables of its own: whole tables change at once, by statements that no transaction holds. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Change } from '../model/chain.ts';
import { PRIVATE_IDS } from './reads.ts';
import type { Owner } from './world.ts';

/** Statements that prepare something nobody reads, and the one that changes what is read. */
export interface PrivateWrite {
  readonly before: readonly string[];
  readonly sql: string;
  readonly changes: readonly Change[];
}

type Maker = (owner: Owner, stamp: number) => PrivateWrite;

function changesOf(
  { number, chain }: Owner,
  stamp: number,
  ids: readonly number[],
  absent: boolean,
): Change[] {
  return ids.map((id) => ({ cell: chain.cell(`s${number}:${id}`), stamp, absent }));
}

function rowsWith(stamp: number): string {
  return PRIVATE_IDS.map((id) => `(${id}, ${stamp})`).join(', ');
}

const replaceRows: Maker = (owner, stamp) => ({
  before: [],
  sql: `REPLACE INTO s${owner.number} (id, n) VALUES ${rowsWith(stamp)}`,
  changes: changesOf(owner, stamp, PRIVATE_IDS, false),
});

const truncate: Maker = (owner, stamp) => ({
  before: [],
  sql: `TRUNCATE TABLE s${owner.number}`,
  changes: changesOf(owner, stamp, PRIVATE_IDS, true),
});

/** The rows of one half go. */
const truncatePartition: Maker = (owner, stamp) => ({
  before: [],
  sql: `ALTER TABLE s${owner.number} TRUNCATE PARTITION p0`,
  changes: changesOf(owner, stamp, [0, 2], true),
});

/** Another table takes the name. */
const rename: Maker = (owner, stamp) => {
  const [name, other] = [`s${owner.number}`, `t${owner.number}`];
  return {
    before: [`REPLACE INTO ${other} (id, n) VALUES ${rowsWith(stamp)}`],
    sql: `RENAME TABLE ${name} TO ${name}_old, ${other} TO ${name}, ${name}_old TO ${other}`,
    changes: changesOf(owner, stamp, PRIVATE_IDS, false),
  };
};

/** Nothing changes for those who read. */
const alter: Maker = (owner, stamp) => {
  const name = `s${owner.number}`;
  return {
    before: [],
    sql: `ALTER TABLE ${name} COMMENT = 'version ${stamp}'`,
    changes: [],
  };
};

const replaceView: Maker = ({ number, chain }, stamp) => ({
  before: [],
  sql: `CREATE OR REPLACE VIEW w${number} AS SELECT 1 AS id, ${stamp} AS n`,
  changes: [{ cell: chain.cell(`w${number}:1`), stamp, absent: false }],
});

const MAKERS: readonly Maker[] = [
  replaceRows,
  replaceRows,
  replaceRows,
  truncate,
  truncatePartition,
  rename,
  alter,
  replaceView,
];

export function makePrivateWrite(random: SeededRandom, owner: Owner): PrivateWrite {
  return random.pick(MAKERS)(owner, owner.chain.nextStamp());
}
