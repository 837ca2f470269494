/** A slow reader slows its server down; it does not fill Sluice's memory. */

import t from 'tap';
import type { WireClient } from '../integration/differential/wire-client.ts';
import { Command } from '../integration/differential/wire-constants.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Bystander } from './bystander.ts';
import { rawLogin } from './raw-login.ts';

const ROWS = 200;
const ROW_BYTES = 1_000_000;
const MAX_GROWTH_BYTES = 64 * 1_048_576;
/** Long enough for 200 MB to arrive on loopback, were there nothing to hold them back. */
const WATCHED_SAMPLES = 60;

const set = new ReplicationSet({ replicas: 0 });
let sluice: SluiceProcess;

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set);
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

async function askForMuch(): Promise<WireClient> {
  const client = await rawLogin(sluice);
  client.command(Command.query, Buffer.from(`SELECT REPEAT('x', ${ROW_BYTES}) FROM seq_1_to_${ROWS}`));
  return client;
}

/** Reads the column and the rows up to the end, the column count having been read; gives the rows' number and bytes. */
async function readRows(client: WireClient): Promise<{ rows: number; bytes: number }> {
  await client.socket.receive();
  let rows = 0;
  let bytes = 0;
  for (;;) {
    const { payload } = await client.socket.receive();
    if (payload[0] === 0xfe && payload.length < 100) return { rows, bytes };
    if (payload[0] === 0xff) throw new Error(payload.toString('latin1'));
    rows++;
    bytes += payload.length;
  }
}

t.test('a reader that stalls', async (t) => {
  const bystander = await Bystander.start(sluice);
  await bystander.errorsAfter(50);
  const before = await sluice.rss();
  const client = await askForMuch();
  await client.socket.receive();
  client.socket.pause();
  let peak = 0;
  for (let sample = 0; sample < WATCHED_SAMPLES; sample++) {
    // The bystander's work is the clock: so many answers take a while.
    await bystander.errorsAfter(20);
    peak = Math.max(peak, (await sluice.rss()) - before);
  }
  t.ok(peak < MAX_GROWTH_BYTES, `grew by ${(peak / 1_048_576).toFixed(1)} MB while the reader was stalled`);
  await waitUntil(
    'the pause is counted',
    async () => (await sluice.metric('sluice_slow_reader_pauses_total')) > 0,
  );
  client.socket.resume();
  const { rows, bytes } = await readRows(client);
  t.equal(rows, ROWS, 'every row comes when the reader goes on');
  t.equal(bytes, ROWS * (ROW_BYTES + 4), 'with all its bytes');
  t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
  await bystander.stop();
  client.close();
});

t.test('a fast reader', async (t) => {
  const before = await sluice.rss();
  const client = await askForMuch();
  await client.socket.receive();
  const { rows } = await readRows(client);
  t.equal(rows, ROWS);
  const growth = (await sluice.rss()) - before;
  t.ok(growth < MAX_GROWTH_BYTES, `grew by ${(growth / 1_048_576).toFixed(1)} MB`);
  client.close();
});

t.test('many stalled readers', async (t) => {
  const before = await sluice.rss();
  const clients = await Promise.all(Array.from({ length: 8 }, askForMuch));
  for (const client of clients) {
    await client.socket.receive();
    client.socket.pause();
  }
  const bystander = await Bystander.start(sluice);
  t.same(await bystander.errorsAfter(500), [], 'others work on');
  const growth = (await sluice.rss()) - before;
  t.ok(growth < MAX_GROWTH_BYTES, `grew by ${(growth / 1_048_576).toFixed(1)} MB`);
  await bystander.stop();
  for (const client of clients) client.socket.destroy();
  await waitUntil('all are gone', async () => (await sluice.metric('sluice_frontend_connections')) === 0);
});

t.test('commands ahead of their answers, which nobody reads', async (t) => {
  const commands = 20_000;
  // One read of the server's each: there is no middle of an answer to stop in.
  const bytes = 8000;
  const before = await sluice.rss();
  const bystander = await Bystander.start(sluice);
  const client = await rawLogin(sluice);
  client.socket.pause();
  for (let i = 0; i < commands; i++)
    client.command(Command.query, Buffer.from(`SELECT REPEAT('x', ${bytes})`));
  let peak = 0;
  for (let sample = 0; sample < WATCHED_SAMPLES; sample++) {
    await bystander.errorsAfter(20);
    peak = Math.max(peak, (await sluice.rss()) - before);
  }
  t.ok(peak < MAX_GROWTH_BYTES, `grew by ${(peak / 1_048_576).toFixed(1)} MB while nothing was read`);
  client.socket.resume();
  for (let i = 0; i < commands; i++) {
    await client.socket.receive();
    const { rows } = await readRows(client);
    if (rows !== 1) throw new Error(`answer ${i} has ${rows} rows`);
  }
  t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
  await bystander.stop();
  client.close();
});
