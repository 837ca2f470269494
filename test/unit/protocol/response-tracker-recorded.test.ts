/** Answers as real servers gave them (MariaDB 10.11.19 and MySQL 5.7.29, both alike): nothing here is encoded by us. */

import t from 'tap';
import { AnswerShape, StatusFlag } from '../../../protocol/index.ts';
import { CAPABILITY_SETS, nameOfCapabilities, TrackerRig } from './tracked-answer.ts';

const { query, prepare, fieldList, fetch, single } = AnswerShape;
const PARAMETER = '03646566000000013f000c3f000000000000800000 0000'.replaceAll(' ', '');
const COLUMN = '03646566016401740174016101610c3f000b000000030000000000';

interface Recording {
  readonly name: string;
  readonly shape: AnswerShape;
  /** Payloads in hex, numbered from 1; what is in brackets comes only with, or only without, the EOF packets. */
  readonly modern: readonly string[];
  readonly old: readonly string[];
}

const RECORDINGS: readonly Recording[] = [
  {
    name: 'prepare SELECT ?, ?',
    shape: prepare,
    modern: ['000100000002000200000000', PARAMETER, PARAMETER, PARAMETER, PARAMETER],
    old: ['000100000002000200000000', PARAMETER, PARAMETER, 'fe00000200', PARAMETER, PARAMETER, 'fe00000200'],
  },
  {
    name: 'prepare SELECT 1',
    shape: prepare,
    modern: ['000200000001000000000000', COLUMN],
    old: ['000200000001000000000000', COLUMN, 'fe00000200'],
  },
  {
    name: 'prepare INSERT … VALUES (?)',
    shape: prepare,
    modern: ['000300000000000100000000', PARAMETER],
    old: ['000300000000000100000000', PARAMETER, 'fe00000200'],
  },
  {
    name: 'prepare INSERT … VALUES (1)',
    shape: prepare,
    modern: ['000400000000000000000000'],
    old: ['000400000000000000000000'],
  },
  {
    name: 'execute with a cursor',
    shape: query,
    modern: ['01', COLUMN, 'fe000062000000'],
    old: ['01', COLUMN, 'fe00006200'],
  },
  {
    name: 'fetch two rows',
    shape: fetch,
    modern: ['000001000000', '000002000000', 'fe000042000000'],
    old: ['000001000000', '000002000000', 'fe00004200'],
  },
  {
    name: 'field list',
    shape: fieldList,
    modern: [`${COLUMN}00`, 'fe000002000000'],
    old: [`${COLUMN}00`, 'fe00000200'],
  },
  { name: 'COM_SET_OPTION', shape: single, modern: ['fe000002000000'], old: ['fe00000200'] },
  {
    name: 'execute CALL with an OUT parameter',
    shape: query,
    modern: ['01', COLUMN, '000005000000', 'fe00000a100000', '00000002000000'],
    // MySQL forgets the flags in its second EOF.
    old: ['01', COLUMN, 'fe00000a10', '000005000000', 'fe00000a10', '00000002000000'],
  },
];

function stream(payloads: readonly string[]): Buffer {
  return Buffer.concat(
    payloads.flatMap((hex, index) => {
      const payload = Buffer.from(hex, 'hex');
      return [Buffer.from([payload.length & 0xff, payload.length >> 8, 0, (index + 1) & 0xff]), payload];
    }),
  );
}

const STATUS = StatusFlag.SERVER_STATUS_AUTOCOMMIT;

for (const { name, shape, modern, old } of RECORDINGS) {
  t.test(name, async (t) => {
    for (const [index, server] of CAPABILITY_SETS.entries()) {
      for (const [clientIndex, client] of CAPABILITY_SETS.entries()) {
        const sent = stream(index % 2 === 1 ? modern : old);
        const wanted = stream(clientIndex % 2 === 1 ? modern : old);
        for (const cut of [sent.length, 1, 5]) {
          const rig = new TrackerRig(server).begin(shape, client, STATUS);
          t.equal(
            rig.read(sent, () => cut),
            0,
          );
          t.ok(
            rig.tracker.complete,
            `${nameOfCapabilities(server)} to ${nameOfCapabilities(client)}: complete`,
          );
          t.equal(rig.sink.bytes.toString('hex'), wanted.toString('hex'));
        }
      }
    }
  });
}

t.test('MySQL without CLIENT_DEPRECATE_EOF hides that an OK follows the OUT parameters', async (t) => {
  const sent = stream(['01', COLUMN, 'fe00000a10', '000005000000', 'fe00000200', '00000002000000']);
  const asSent = new TrackerRig(CAPABILITY_SETS[0]!).begin(query, CAPABILITY_SETS[0]!, STATUS);
  t.equal(asSent.read(sent), 0);
  t.ok(asSent.tracker.complete);
  t.equal(asSent.sink.bytes.toString('hex'), sent.toString('hex'));

  const modern = new TrackerRig(CAPABILITY_SETS[0]!).begin(query, CAPABILITY_SETS[1]!, STATUS);
  t.equal(
    modern.read(sent, () => 2),
    0,
  );
  const wanted = stream(['01', COLUMN, '000005000000', 'fe00000a000000', '00000002000000']);
  t.equal(modern.sink.bytes.toString('hex'), wanted.toString('hex'));
});
