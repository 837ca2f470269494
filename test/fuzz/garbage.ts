import { frame } from '../fault/raw-login.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

const MAX_RANDOM_BYTES = 600;

/** What a client might send in place of a login. */
export function randomLogin(random: SeededRandom): Buffer {
  switch (random.below(6)) {
    case 0:
      return random.bytes(random.below(MAX_RANDOM_BYTES));
    case 1:
      return frame(random.below(3), random.bytes(random.below(200)));
    case 2:
      return frame(1, Buffer.alloc(0));
    case 3:
      return frame(1, plausibleLogin(random), random.below(0x1000000));
    default:
      return frame(1, mutate(random, plausibleLogin(random)));
  }
}

const HARMFUL_COMMANDS = new Set([
  0x07, // COM_REFRESH
  0x08, // COM_SHUTDOWN
  0x0c, // COM_PROCESS_KILL: by chance the bystander's
]);

const STATEMENTS = [
  'SELECT 1',
  'SELECT * FROM t WHERE id = 5',
  "INSERT INTO t VALUES (1, 'x') ON DUPLICATE KEY UPDATE text = 'y'",
  'BEGIN',
  'COMMIT',
  'SET time_zone = "+01:00"',
  'SELECT /* comment */ "a" FROM t FOR UPDATE',
  "PREPARE s FROM 'SELECT 1'",
  'CREATE TEMPORARY TABLE x (a INT)',
  'SELECT 1; SELECT 2',
  "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
  'USE app',
  'SHOW WARNINGS',
  'SELECT @a := 1',
];

/** A command with random bytes, or a statement that has lost some of its sense. */
export function randomCommand(random: SeededRandom): Buffer {
  const choice = random.below(8);
  if (choice === 0) return Buffer.from(random.bytes(random.below(MAX_RANDOM_BYTES) + 1).map(withoutHarm));
  if (choice === 1)
    return Buffer.concat([Buffer.from([withoutHarm(random.below(256))]), random.bytes(random.below(40))]);
  if (choice === 2) return statementCommand(random);
  if (choice === 3) return Buffer.alloc(0);
  const sql = Buffer.from(random.pick(STATEMENTS));
  return Buffer.concat([Buffer.from([3]), choice < 6 ? mutate(random, sql) : sql]);
}

/** Cuts a packet into pieces at random places, as a network does. */
export function randomPieces(random: SeededRandom, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const length = random.below(3) === 0 ? 1 + random.below(5) : bytes.length - offset;
    pieces.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return pieces;
}

/** Flips, cuts, repeats and inserts bytes. */
export function mutate(random: SeededRandom, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(result.length + 1);
    switch (random.below(5)) {
      case 0:
        if (at < result.length) result[at] = random.below(256);
        break;
      case 1:
        result = result.subarray(0, at);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), random.bytes(random.below(20)), result.subarray(at)]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), result.subarray(Math.max(0, at - random.below(20)))]);
        break;
      default:
        if (at < result.length) result[at] = (result[at] as number) ^ (1 << random.below(8));
    }
  }
  return result;
}

/** Prepared statement commands with ids that may or may not be there. */
function statementCommand(random: SeededRandom): Buffer {
  const code = random.pick([0x16, 0x17, 0x18, 0x19, 0x1a, 0x1c]);
  if (code === 0x16) return Buffer.concat([Buffer.from([code]), mutate(random, Buffer.from('SELECT ?, ?'))]);
  const id = Buffer.alloc(4);
  id.writeUInt32LE(random.below(4) === 0 ? random.below(2 ** 32) : 1 + random.below(3));
  return Buffer.concat([Buffer.from([code]), id, random.bytes(random.below(60))]);
}

function plausibleLogin(random: SeededRandom): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(random.below(3) === 0 ? random.below(2 ** 32) : 0x018fa28d, 0);
  fixed.writeUInt32LE(0x1000000, 4);
  fixed[8] = random.below(256);
  return Buffer.concat([
    fixed,
    Buffer.from(random.pick(['app\0', 'nobody\0', '\0', 'app'])),
    Buffer.from([20]),
    random.bytes(20),
    Buffer.from('app\0mysql_native_password\0'),
    random.below(3) === 0 ? random.bytes(random.below(100)) : Buffer.alloc(0),
  ]);
}

function withoutHarm(code: number): number {
  return HARMFUL_COMMANDS.has(code) ? 0x03 : code;
}
