import t from 'tap';
import { ColumnType, parametersOverrun } from '../../../../protocol/index.ts';

const { MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_LONG, MYSQL_TYPE_NULL, MYSQL_TYPE_DATETIME, MYSQL_TYPE_BLOB } =
  ColumnType;

interface Case {
  readonly name: string;
  readonly types: readonly number[];
  /** Parameters that are NULL. */
  readonly nulls?: readonly number[];
  readonly longData?: readonly number[];
  /** Hex of the values. */
  readonly values: string;
  readonly overruns: boolean;
}

const CASES: readonly Case[] = [
  {
    name: 'a string as long as it says',
    types: [MYSQL_TYPE_VAR_STRING],
    values: '03616263',
    overruns: false,
  },
  { name: 'a string that says more', types: [MYSQL_TYPE_VAR_STRING], values: '0a616263', overruns: true },
  { name: 'two bytes of length', types: [MYSQL_TYPE_VAR_STRING], values: 'fc0300616263', overruns: false },
  {
    name: 'two bytes of length that lie',
    types: [MYSQL_TYPE_VAR_STRING],
    values: 'fcffff616263',
    overruns: true,
  },
  { name: 'three bytes that lie', types: [MYSQL_TYPE_BLOB], values: 'fdffffff61', overruns: true },
  { name: 'eight bytes that lie', types: [MYSQL_TYPE_BLOB], values: 'feffffffffffffffff61', overruns: true },
  {
    name: 'a length that is cut is refused by servers',
    types: [MYSQL_TYPE_BLOB],
    values: 'fdff',
    overruns: false,
  },
  { name: 'nothing at all', types: [MYSQL_TYPE_BLOB], values: '', overruns: false },
  { name: 'a short integer is refused by servers', types: [MYSQL_TYPE_LONG], values: '01', overruns: false },
  { name: 'a date that says more', types: [MYSQL_TYPE_DATETIME], values: '07e0070101', overruns: true },
  {
    name: 'a NULL takes nothing',
    types: [MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VAR_STRING],
    nulls: [0],
    values: '0161',
    overruns: false,
  },
  {
    name: 'nor does the type',
    types: [MYSQL_TYPE_NULL, MYSQL_TYPE_VAR_STRING],
    values: '0261',
    overruns: true,
  },
  {
    name: 'long data has come before',
    types: [MYSQL_TYPE_BLOB, MYSQL_TYPE_LONG],
    longData: [0],
    values: '01000000',
    overruns: false,
  },
  {
    name: 'the second lies',
    types: [MYSQL_TYPE_LONG, MYSQL_TYPE_VAR_STRING],
    values: '010000000561',
    overruns: true,
  },
];

t.test('a value that claims to reach beyond its packet is found', async (t) => {
  for (const { name, types, nulls = [], longData, values, overruns } of CASES) {
    const bitmap = Buffer.alloc((types.length + 7) >> 3);
    for (const index of nulls) bitmap[index >> 3]! |= 1 << (index & 7);
    const packet = Buffer.concat([bitmap, Buffer.from(values, 'hex')]);
    const block = {
      types: Buffer.from(types.flatMap((type) => [type, 0])),
      nullBitmap: 0,
      longData: longData === undefined ? null : new Set(longData),
    };
    // What lies behind the packet in the buffer must not matter.
    const buffer = Buffer.concat([packet, Buffer.alloc(32, 0x7a)]);
    t.equal(parametersOverrun(buffer, bitmap.length, packet.length, block), overruns, name);
  }
});
