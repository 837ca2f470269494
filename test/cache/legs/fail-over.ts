/**
 * The primary dies by SIGKILL, the first Sluice promotes a replica, and the old one comes back.
 *
 * With semi-synchronous replication that waits before a commit is visible, no write that was acknowledged may be lost, and
 * writers go on with their rows; the heir has the last ones in its relay log only. Without it (the tests' MySQL has no plugin
 * for it) the latest may be: writers begin with other rows then, and of the old ones it is found out what the new primary has,
 * which must be all up to some write of each writer and nothing behind that, but for a write that waited for the new primary. From
 * then on nothing else may be seen of them. What was lost keeps the old primary out, so that each death costs a server.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import type { DatabaseServer } from '../../support/database-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { PRIVATE_IDS } from '../driver/reads.ts';
import { SHARED_TABLES } from '../driver/schema.ts';
import type { Owner } from '../driver/world.ts';
import type { Cell, UnitRange } from '../model/cell.ts';
import type { Chain, Change, Unit } from '../model/chain.ts';
import { ViolationKind } from '../model/check-read.ts';
import { intersectRanges } from '../model/windows.ts';
import type { Stage } from '../stage.ts';

const PROMOTED_WITHIN_MS = 60_000;
const BEHIND_MS = 200;

export async function failOver(stage: Stage): Promise<void> {
  const { world, primary: old, isLossless, replicas } = stage;
  // What is written now replicas have not executed, or do not have at all.
  for (const replica of replicas) await replica.query(`STOP SLAVE ${isLossless ? 'SQL' : 'IO'}_THREAD`);
  await delay(BEHIND_MS);
  const owners = isLossless ? [] : [...world.owners];
  for (const { chain } of owners) chain.cut();
  const killedAt = world.history.now();
  world.history.waitForLosses();
  await old.kill();
  // One of them may be the primary by now.
  for (const replica of replicas) await replica.query('START SLAVE').catch(() => undefined);
  stage.primary = await waitUntil('a replica takes writes', () => heirOf(stage, old), {
    timeoutMs: PROMOTED_WITHIN_MS,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await storyOf(stage)}`);
  });
  const ended = () => owners.every(({ chain }) => chain.ended);
  await waitUntil('all that was under way has ended', ended, { timeoutMs: PROMOTED_WITHIN_MS });
  await endPrepared(stage, owners);
  for (const owner of owners) await restore(stage, owner, killedAt);
  world.history.lossesAreKnown();
  await old.start();
}

/** Why nobody was promoted: what the first Sluice has told of the servers. */
async function storyOf({ sluice }: Stage): Promise<string> {
  const admin = await sluice.adminConnection();
  try {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW EVENTS');
    return rows.map(({ time, event, address, detail }) => `${time} ${event} ${address} ${detail}`).join('\n');
  } finally {
    await admin.end();
  }
}

async function heirOf({ set }: Stage, old: DatabaseServer): Promise<DatabaseServer | undefined> {
  for (const server of set.servers) {
    if (server === old || !server.running) continue;
    if ((await server.queryValue('SELECT @@global.read_only')) === '0') return server;
  }
  return undefined;
}

/** Nobody will end them, and their locks are in the way. */
async function endPrepared(stage: Stage, owners: readonly Owner[]): Promise<void> {
  const numbers = new Set(owners.map(({ number }) => String(number)));
  for (const { data } of await stage.asRoot('XA RECOVER')) {
    const number = /^x(\d+)\./.exec(String(data))?.[1];
    if (number !== undefined && numbers.has(number)) await stage.asRoot(`XA ROLLBACK '${data}'`);
  }
}

/** The rows of a writer who has begun with other ones: nothing changes them any more. */
async function restore(stage: Stage, { number, chain, ids }: Owner, killedAt: number): Promise<void> {
  const { history } = stage.world;
  const found = new Map<Cell, number | null>();
  const look = (name: string, rows: readonly Record<string, unknown>[], id: number): void => {
    const row = rows.find((one) => Number(one.id) === id);
    found.set(chain.cell(`${name}:${id}`), row === undefined ? null : Number(row.n));
  };
  for (const table of SHARED_TABLES) {
    const rows = await stage.asRoot(`SELECT id, n FROM app.${table} WHERE id IN (${ids.join(', ')})`);
    for (const id of ids) look(table, rows, id);
  }
  const own = await stage.asRoot(`SELECT id, n FROM app.s${number}`);
  for (const id of PRIVATE_IDS) look(`s${number}`, own, id);
  look(`w${number}`, await stage.asRoot(`SELECT id, n FROM app.w${number}`), 1);
  const outlasting = outlastingOf(chain, found, killedAt);
  for (const { cell } of outlasting?.changes ?? []) found.delete(cell);
  let states: readonly UnitRange[] = [{ from: 0, to: Number.POSITIVE_INFINITY }];
  for (const [cell, value] of found) states = intersectRanges(states, cell.rangesOf(value));
  const state = states.at(-1);
  if (state === undefined) {
    const message = `the new primary has some of ${chain.name}, and lacks what was before it`;
    history.report({ kind: ViolationKind.fractured, message, chains: [chain] }, null, killedAt);
    return;
  }
  const kept = Math.min(state.to, chain.length) - 1;
  history.counts.lost += chain.restore(kept, killedAt, history.now(), outlasting);
}

/** A write that waited in Sluice is carried out on the new primary, which may lack acknowledged ones of before. */
function outlastingOf(chain: Chain, found: ReadonlyMap<Cell, number | null>, killedAt: number): Unit | null {
  const unit = chain.underWayAt(killedAt);
  const isThere = ({ cell }: Change): boolean => found.get(cell) === cell.last;
  return unit?.changes.every(isThere) === true ? unit : null;
}
