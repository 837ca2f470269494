/** Compression from clients: stock ones, zstd by hand, files, and frames that lie. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import {
  Capability,
  ClientHandshake,
  Command,
  CompressedFrameReader,
  CompressionAlgorithm,
  compressedFrame,
  decodeErr,
  framePacket,
  inflatePayload,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import { Bystander } from '../../fault/bystander.ts';
import { MODERN_CAPABILITIES, RawClient } from '../../support/raw-client.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { stockClient } from '../../support/stock-client.ts';
import { waitUntil } from '../../support/wait-until.ts';

const MAX_PACKET_BYTES = 24 << 20;

const set = new ReplicationSet({ replicas: 0, args: ['--max-allowed-packet=64M', '--local-infile=1'] });
await set.start();
const sluice = await SluiceProcess.startFor(set, {
  config: { limits: { maxPacketBytes: MAX_PACKET_BYTES } },
});
const bystander = await Bystander.start(sluice);
t.teardown(async () => {
  await bystander.stop();
  await sluice.dispose();
  await set.dispose();
});
const tcp = ['-h127.0.0.1', `-P${sluice.port}`];

/** A session in the compressed protocol whose frames are the test's own. */
class CompressedClient {
  readonly raw: RawClient;
  readonly #algorithm: CompressionAlgorithm;
  readonly #frames = new CompressedFrameReader(1 << 24);
  readonly #packets: Buffer[] = [];
  readonly #reader = new PacketReader((payload) => this.#packets.push(Buffer.from(payload)), 1 << 26);
  nextSequence = 0;

  private constructor(raw: RawClient, algorithm: CompressionAlgorithm) {
    this.raw = raw;
    this.#algorithm = algorithm;
  }

  static async login(algorithm: CompressionAlgorithm): Promise<CompressedClient> {
    const raw = await RawClient.connect({ host: sluice.host, port: sluice.port });
    const flag =
      algorithm === CompressionAlgorithm.zlib
        ? Capability.CLIENT_COMPRESS
        : Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM;
    const refusal = await raw.logIn({
      ...APP_ACCOUNT,
      database: APP_SCHEMA,
      capabilities: uniteCapabilities(MODERN_CAPABILITIES, flag),
    });
    if (refusal !== null) throw new Error(refusal.message);
    const client = new CompressedClient(raw, algorithm);
    raw.socket.removeAllListeners('data');
    raw.socket.on('data', (chunk: Buffer) => client.#receive(chunk));
    return client;
  }

  #receive(chunk: Buffer): void {
    this.#frames.append(chunk);
    for (let frame = this.#frames.next(); frame !== null; frame = this.#frames.next()) {
      const { payload, uncompressedBytes, sequenceId } = frame;
      if (sequenceId !== this.nextSequence) throw new Error(`frame ${sequenceId}, not ${this.nextSequence}`);
      this.nextSequence = (sequenceId + 1) & 0xff;
      this.#reader.push(
        uncompressedBytes === 0
          ? Buffer.from(payload)
          : inflatePayload(this.#algorithm, payload, uncompressedBytes),
      );
    }
  }

  /** Bytes of packets, in frames of at most `frameBytes`. */
  send(bytes: Buffer, frameBytes = 1 << 20, fromSequence = 0): void {
    this.nextSequence = fromSequence;
    for (let at = 0; at < bytes.length; at += frameBytes) {
      const frame = compressedFrame(
        this.#algorithm,
        1,
        bytes.subarray(at, at + frameBytes),
        this.nextSequence++,
      );
      this.raw.sendBytes(frame);
    }
  }

  query(sql: string, frameBytes?: number): void {
    this.send(
      framePacket(Buffer.concat([Buffer.from([Command.COM_QUERY]), Buffer.from(sql)]), 0),
      frameBytes,
    );
  }

  packet(): Promise<Buffer> {
    return waitUntil('a packet', () => this.#packets.shift(), { intervalMs: 1 });
  }

  async packets(count: number): Promise<Buffer[]> {
    const packets: Buffer[] = [];
    while (packets.length < count) packets.push(await this.packet());
    return packets;
  }
}

t.test('the stock client and mysql2', async (t) => {
  const { stdout, stderr, code } = await stockClient(
    [...tcp, '--compress'],
    "status; SELECT MD5(REPEAT('x', 5000000)); SELECT REPEAT('x', 300000)",
  );
  t.equal(code, 0, stderr);
  t.match(stdout, /Protocol:\s+Compressed/);
  t.match(stdout, /x{300000}/);
  const file = join(sluice.directory, 'load.txt');
  writeFileSync(
    file,
    Array.from({ length: 40_000 }, (_, row) => `${row}\t${'t'.repeat(row % 90)}\n`).join(''),
  );
  const load = await stockClient(
    [...tcp, '--compress', '--local-infile=1'],
    `CREATE TABLE loaded (id INT PRIMARY KEY, text VARCHAR(100));
     LOAD DATA LOCAL INFILE '${file}' INTO TABLE loaded; LOAD DATA LOCAL INFILE '${file}' IGNORE INTO TABLE loaded;
     SELECT COUNT(*), SUM(LENGTH(text)) FROM loaded`,
  );
  t.equal(load.code, 0, load.stderr);
  t.match(load.stdout, /40000\t1779000/, 'a file of the client, twice on one connection');
  const connection = await sluice.connect({ compress: true });
  const text = 'ab'.repeat(8_500_000);
  const [rows] = await connection.query<RowDataPacket[]>('SELECT ? AS text', [text]);
  t.equal(rows[0]?.text === text, true, '17 MB there and back');
  const [prepared] = await connection.execute<RowDataPacket[]>('SELECT ? + 1 AS n', [41]);
  t.equal(prepared[0]?.n, 42);
  await connection.changeUser({
    user: APP_ACCOUNT.username,
    password: APP_ACCOUNT.password,
    database: APP_SCHEMA,
  });
  const [after] = await connection.query<RowDataPacket[]>('SELECT 5 AS n');
  t.equal(after[0]?.n, 5, 'COM_CHANGE_USER stays compressed');
  await connection.end();
});

t.test('both algorithms, packets in many frames, frames with many packets', async (t) => {
  for (const algorithm of [CompressionAlgorithm.zlib, CompressionAlgorithm.zstd]) {
    const client = await CompressedClient.login(algorithm);
    for (const frameBytes of [1, 7, 1000]) {
      client.query("SELECT REPEAT('x', 200000)", frameBytes);
      const [, , row] = await client.packets(4);
      t.equal(row?.length, 4 + 200_000, `${algorithm}: sent in frames of ${frameBytes}`);
    }
    client.query(`SELECT LENGTH('${'y'.repeat(400_000)}')`);
    t.match((await client.packets(4))[2]?.toString(), /400000/, `${algorithm}: a large frame`);
    // Without waiting for the answer to the first one: each begins to count at 0.
    const command = (sql: string) => framePacket(Buffer.concat([Buffer.from([3]), Buffer.from(sql)]), 0);
    client.raw.sendBytes(
      Buffer.concat([1, 2].map((n) => compressedFrame(algorithm, 1, command(`SELECT ${n}, SLEEP(0.05)`), 0))),
    );
    client.nextSequence = 1;
    const first = await client.packets(5);
    client.nextSequence = 1;
    t.equal(first[3]?.toString('latin1', 1, 2), '1', `${algorithm}: the first of two`);
    t.equal((await client.packets(5))[3]?.toString('latin1', 1, 2), '2', `${algorithm}: the second`);
    client.raw.destroy();
  }
});

async function expectRefusal(
  t: Test,
  what: string,
  errno: number,
  bytes: Buffer,
  nextSequence = 1,
): Promise<void> {
  const client = await CompressedClient.login(CompressionAlgorithm.zlib);
  client.nextSequence = nextSequence;
  client.raw.sendBytes(bytes);
  const answer = await client.packet().catch(() => Buffer.alloc(0));
  t.equal(answer[0], 0xff, `${what}: an error`);
  t.equal(decodeErr(answer).errno, errno, `${what}: ${errno}`);
  await client.raw.waitUntilClosed();
}

function frame(payload: Buffer, uncompressedBytes: number, sequenceId = 0, claimed = payload.length): Buffer {
  const header = Buffer.alloc(7);
  header.writeUIntLE(claimed, 0, 3);
  header[3] = sequenceId;
  header.writeUIntLE(uncompressedBytes, 4, 3);
  return Buffer.concat([header, payload]);
}

t.test('frames that lie', async (t) => {
  const content = framePacket(Buffer.concat([Buffer.from([3]), Buffer.alloc(300_000, ' ')]), 0);
  const packed = deflateSync(content);
  const bomb = deflateSync(Buffer.alloc(200 << 20), { level: 9 });
  const before = await sluice.rss();
  await expectRefusal(t, 'more than announced', 1157, frame(packed, content.length - 1));
  await expectRefusal(t, 'less than announced', 1157, frame(packed, content.length + 1));
  await expectRefusal(t, 'a little, and a lie', 1157, frame(deflateSync(Buffer.alloc(100)), 50));
  await expectRefusal(t, 'not compressed at all', 1157, frame(Buffer.from('nothing of the kind'), 100));
  await expectRefusal(t, 'a bomb', 1157, frame(bomb, 1000));
  await expectRefusal(t, 'a bomb, larger', 1157, frame(bomb, 8 << 20));
  await expectRefusal(t, 'a wrong sequence id', 1156, frame(packed, content.length, 9), 10);
  await expectRefusal(t, 'a frame of nothing', 1157, frame(Buffer.alloc(0), 0));
  t.ok((await sluice.rss()) - before < 150 << 20, 'nothing was inflated beyond what was announced');
  const small = await SluiceProcess.startFor(set, {
    config: { limits: { maxPacketBytes: 1 << 20 }, workers: 1, listen: { compression: true } },
  });
  t.teardown(() => small.dispose());
  const raw = await RawClient.connect({ host: small.host, port: small.port });
  const capabilities = uniteCapabilities(MODERN_CAPABILITIES, Capability.CLIENT_COMPRESS);
  t.equal(await raw.logIn({ ...APP_ACCOUNT, capabilities }), null);
  const chunks: Buffer[] = [];
  raw.socket.removeAllListeners('data');
  raw.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Only the header: what it announces is too much already.
  raw.sendBytes(frame(Buffer.alloc(0), 2 << 20, 0, 100));
  await raw.waitUntilClosed();
  t.equal(decodeErr(Buffer.concat(chunks).subarray(7 + 4)).errno, 1153, 'over limits.maxPacketBytes');
  small.writeConfig({
    servers: [set.primary.address],
    users: [APP_ACCOUNT],
    listen: { compression: false },
  });
  small.signal('SIGHUP');
  await waitUntil('it is not offered any more', async () => {
    const client = await RawClient.connect({ host: small.host, port: small.port });
    const handshake = new ClientHandshake({
      ...{ username: '', password: { kind: 'none' }, database: null, capabilities, collationId: 45 },
      ...{ connectAttributes: {}, maxPacketBytes: 1024, allowRsa: false, secureTransport: false },
    });
    const { payload, sequenceId } = await client.readPacket();
    handshake.receive(payload, sequenceId);
    client.destroy();
    return (handshake.serverCapabilities & Capability.CLIENT_COMPRESS) === 0;
  });
  t.strictSame(await bystander.errorsAfter(), [], 'nobody else has noticed');
});
