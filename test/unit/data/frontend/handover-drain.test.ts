import t from 'tap';
import type { ClientConnection } from '../../../../src/data/frontend/client-connection.ts';
import { HandoverDrain } from '../../../../src/data/frontend/handover-drain.ts';
import { waitUntil } from '../../../support/wait-until.ts';

/** What a drain looks at. */
class Client {
  isLoggingIn = false;
  hasSession = true;
  mayEndNow = true;
  pinned = false;
  held: object | null = null;
  unsentBytes = 0;
  lastActivity = 0;
  endedAtMs: number | null = null;

  readonly #now: () => number;

  constructor(now: () => number, fields: Partial<Client>) {
    this.#now = now;
    Object.assign(this, fields);
  }

  get session() {
    const { mayEndNow, pinned, held, unsentBytes, lastActivity } = this;
    if (!this.hasSession) return null;
    return { mayEndNow, run: { held }, state: { pinned }, unsentBytes, transport: { lastActivity } };
  }

  endForShutdown(): void {
    this.endedAtMs ??= this.#now();
    this.mayEndNow = false;
  }
}

/** Checked every 100 ms of a clock of its own. */
function stage(kinds: Readonly<Record<string, Partial<Client>>>) {
  let nowMs = 5000;
  const clients = new Map(
    Object.entries(kinds).map(([name, fields]) => [name, new Client(() => nowMs, fields)]),
  );
  const there = new Set([...clients.values()]);
  let stoppedAtMs: number | null = null;
  const drain = new HandoverDrain(
    there as unknown as ReadonlySet<ClientConnection>,
    () => {
      stoppedAtMs ??= nowMs;
      drain.end();
    },
    () => nowMs,
  );
  drain.begin({ type: 'handOver', idleMs: 1000, drainMs: 10_000 });
  const until = (ms: number, each: (ms: number) => void = () => undefined): void => {
    while (nowMs < 5000 + ms && stoppedAtMs === null) {
      nowMs += 100;
      each(nowMs - 5000);
      drain.check();
      for (const client of there) if (client.endedAtMs !== null) there.delete(client);
    }
  };
  const endOf = (name: string): number | null => {
    const at = clients.get(name)?.endedAtMs ?? null;
    return at === null ? null : at - 5000;
  };
  t.teardown(() => drain.end());
  return { clients, until, endOf, stopped: () => (stoppedAtMs === null ? null : stoppedAtMs - 5000) };
}

t.test('some at a time: in between the others may have sent something', async (t) => {
  const { clients, until } = stage(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`c${n}`, {}])));
  const ended = (): number => [...clients.values()].filter(({ endedAtMs }) => endedAtMs !== null).length;
  until(1000);
  t.equal(ended(), 32);
  clients.get('c99')!.mayEndNow = false;
  await waitUntil('all others have ended', () => ended() === 99);
});

t.test('who is idle ends, who is in the middle of something does not', (t) => {
  const { until, endOf, stopped } = stage({
    idle: {},
    loggingIn: { hasSession: false },
    changing: { isLoggingIn: true },
    busy: { mayEndNow: false },
    pinned: { pinned: true },
    holding: { held: {} },
    reading: { unsentBytes: 10 },
  });
  until(2000);
  t.equal(endOf('idle'), 1000, 'a little less than the whole of idleMs, at the next look');
  for (const name of ['loggingIn', 'changing', 'busy', 'pinned', 'holding', 'reading'])
    t.equal(endOf(name), null, name);
  until(20_000);
  t.equal(stopped(), 10_000, 'at the limit the worker stops');
  t.end();
});

t.test('behind a long statement a client is not idle yet', (t) => {
  const { clients, until, endOf, stopped } = stage({ slow: { mayEndNow: false } });
  until(3000, (ms) => {
    const slow = clients.get('slow');
    if (slow !== undefined && ms >= 2000) slow.mayEndNow = true;
  });
  t.equal(endOf('slow'), 2800, 'its last byte came long ago, its answer 800 ms ago; idleMs is 720 by now');
  until(3200);
  t.equal(stopped(), 2900, 'the worker stops when nobody is left');
  t.end();
});

t.test('who is never idle for long ends in a short pause, later', (t) => {
  const { clients, until, endOf } = stage({ pool: {} });
  until(9900, (ms) => {
    const pool = clients.get('pool');
    if (pool !== undefined && ms % 500 === 0) pool.lastActivity = ms;
  });
  t.ok(Number(endOf('pool')) >= 6000, 'pauses of 400 ms suffice when 4 s are left');
  t.ok(Number(endOf('pool')) <= 6500);
  t.end();
});
