/**
 * What writes cost with the cache: CPU and time per statement, of the same load through three Sluices in front of one primary, in
 * some hundred rounds of slices of a tenth of a second, one Sluice alone at a time. `off`: no cache at all; `idle`: nothing is
 * cached, but could be; `strong`: everything is, and the follower reads the binlog, in the main thread, which has a limit of its
 * own (`follower.ts`): what a write itself costs is the workers' time. `off again` is the noise.
 *
 *   node bench/cache/writes.ts --rounds 300 --kind update --kind transaction
 */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneOf } from '../e2e/arguments.ts';
import { BackendServers } from '../e2e/backend-servers.ts';
import { describeMachine } from '../e2e/machine.ts';
import { ratioText } from '../e2e/paired-ratio.ts';
import { ratiosTo, type Side, type SideFigures, sidesTable } from '../e2e/sides.ts';
import { AGAIN, LoneSides, meanOf } from './lone-sides.ts';
import { WriteKind } from './write-load.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    /** Of one slice. */
    statements: { type: 'string', default: '500' },
    warmUpStatements: { type: 'string', default: '30000' },
    clients: { type: 'string', default: '16' },
    rows: { type: 'string', default: '100000' },
    /** Autocommitted ones, and transactions. */
    kind: { type: 'string', multiple: true, default: [WriteKind.update, WriteKind.transaction] },
    /** The checkout of all three. */
    directory: { type: 'string', default: '.' },
  },
});
const MOST = 1.03;
const kinds = values.kind.map((one) => oneOf('kind', one, Object.values(WriteKind)));
const directory = resolve(values.directory);
const setups: readonly Side[] = [
  { name: 'off', directory, config: { cache: { enabled: false } } },
  { name: 'idle', directory, config: { cache: { enabled: true } } },
  { name: 'strong', directory, config: { cache: { rules: [{ ruleId: 1, class: 'strong' }] } } },
];

/** Reached or missed only where the whole interval says so. */
function judge(name: string, off: SideFigures, side: SideFigures): void {
  const { workerCpu } = ratiosTo(off, side);
  const verdict = workerCpu.high <= MOST ? 'reached' : workerCpu.low > MOST ? 'MISSED' : 'UNDECIDED';
  process.stdout.write(
    `${verdict.padEnd(9)}  the workers' CPU per statement, ${name} ÷ off: ${ratioText(workerCpu)}, at most ${MOST}\n`,
  );
  if (verdict !== 'reached') process.exitCode = 1;
}

process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const servers = await BackendServers.start(0, { tables: 1, rowsPerTable: Number(values.rows) });
let sides: LoneSides | null = null;
try {
  sides = await LoneSides.start(servers, setups, Number(values.clients), Number(values.rows));
  for (const kind of kinds) {
    const rounds = Number(values.rounds);
    const all = await sides.measure(kind, rounds, Number(values.statements), Number(values.warmUpStatements));
    const first = all.get('off')!;
    const again = all.get(`off${AGAIN}`)!;
    const off = meanOf(first, again);
    const shown = new Map([...all, ['off', off] as const]);
    process.stdout.write(`\n${kind}\n${sidesTable(shown)}\n`);
    const { workerCpu, time } = ratiosTo(first, again);
    process.stdout.write(
      `noise      off again ÷ off: workers ${ratioText(workerCpu)}, time ${ratioText(time)}\n`,
    );
    for (const name of ['idle', 'strong']) judge(name, off, all.get(name)!);
  }
} finally {
  await sides?.stop();
  await servers.dispose();
}
