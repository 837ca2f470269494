import t from 'tap';
import { PIN_PLACES, ROUTE_PLACES } from '../../../../src/common/shared-counters.ts';
import { routeOf } from '../../../../src/data/router/route.ts';
import { emptyEntry, type RingEntry, RingFlag, RouteRing } from '../../../../src/data/router/route-ring.ts';
import { NO_RULES } from '../../../../src/data/router/rules/rule-verdict.ts';
import { PIN_REASONS, pinSlot, pinsOf, ROUTE_SLOTS, routeSlot } from '../../../../src/sql/route-reason.ts';

function entry(connectionId: number, more: Partial<RingEntry> = {}): RingEntry {
  return { ...emptyEntry(), connectionId, ...more };
}

function idsOf(ring: RouteRing): number[] {
  return Array.from({ length: ring.size }, (_, position) => ring.connectionIdAt(position));
}

t.test('the newest first; the oldest is written over', async (t) => {
  const ring = new RouteRing(3);
  t.equal(ring.size, 0);
  for (const id of [11, 12]) ring.add(entry(id));
  t.strictSame(idsOf(ring), [12, 11]);
  for (const id of [13, 14, 15, 16]) ring.add(entry(id));
  t.strictSame(idsOf(ring), [16, 15, 14]);
  t.strictSame([ring.sequenceAt(0), ring.sequenceAt(2)], [6, 4]);
  t.equal(ring.written, 6);
});

t.test('an entry comes out as it went in', async (t) => {
  const ring = new RouteRing(2);
  const given: RingEntry = {
    connectionId: 2 ** 31 - 1,
    username: 'app',
    client: '127.0.0.1:4000',
    schema: 'shop',
    command: 3,
    route: routeOf('replica', 'proven-read'),
    statement: null,
    verdict: { ...NO_RULES, delayMs: 5 },
    normalized: Buffer.from('SELECT ?'),
    server: '127.0.0.1:3306',
    hostgroup: 2 ** 31 - 1,
    serverThreadId: 2 ** 32 - 1,
    flags: RingFlag.pipelined | RingFlag.resultSet,
    attempts: 2,
    beganAtMs: 1234.5678,
    endedAtMs: 1235.25,
    waitMs: 0.125,
    rows: 2 ** 40,
    bytes: 2 ** 41,
    errno: 1064,
    pinsBefore: 1 << 31,
    pinsAfter: 5,
  };
  ring.add(entry(1));
  ring.add(given);
  t.strictSame(ring.at(0), given);
  given.username = 'other';
  t.equal(ring.at(0).username, 'app', 'a copy');
});

t.test('a very long digest is not kept', async (t) => {
  const ring = new RouteRing(1);
  ring.add(entry(1, { normalized: Buffer.alloc(16_384, 'x') }));
  t.equal(ring.at(0).normalized?.length, 16_384);
  ring.add(entry(1, { normalized: Buffer.alloc(16_385, 'x') }));
  t.equal(ring.at(0).normalized, null);
});

t.test('0 turns it off, and a new size begins anew', async (t) => {
  const ring = new RouteRing(0);
  ring.add(entry(1));
  t.strictSame([ring.size, ring.written], [0, 1]);
  ring.resize(2);
  ring.add(entry(2));
  ring.resize(2);
  t.strictSame(idsOf(ring), [2], 'the same size changes nothing');
  ring.resize(0);
  t.equal(ring.size, 0);
});

t.test('every reason has a place of its own', async (t) => {
  const slots = ROUTE_SLOTS.map(({ slot }) => slot);
  t.equal(new Set(slots).size, slots.length);
  t.ok(Math.max(...slots) < ROUTE_PLACES);
  for (const { target, reason, slot } of ROUTE_SLOTS) t.equal(routeSlot(target, reason), slot);
  t.ok(PIN_REASONS.length <= PIN_PLACES, 'bits of a 32-bit number');
  for (const reason of PIN_REASONS) t.strictSame(pinsOf(1 << pinSlot(reason)), [reason]);
  t.strictSame(pinsOf(0), []);
  t.equal(pinsOf(-1).length, PIN_REASONS.length);
});
