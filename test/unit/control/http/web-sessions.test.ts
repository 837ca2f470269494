import t from 'tap';
import { WebSessions } from '../../../../src/control/http/access/web-sessions.ts';

function account(username: string) {
  return { username, role: 'admin', fingerprint: `of ${username}` } as const;
}

function fixture(idleMs = 1000, maxMs = 10_000) {
  const clock = { nowMs: 0 };
  return { clock, sessions: new WebSessions({ idleMs, maxMs }, () => clock.nowMs) };
}

t.test('a session is found by its cookie and by nothing else', async (t) => {
  const { sessions } = fixture();
  const token = sessions.open(account('ops'));
  const other = sessions.open(account('ops'));
  t.not(token, other);
  const found = sessions.find(token, true);
  t.match(found, { account: { username: 'ops' }, endsAtMs: 10_000 });
  t.ok((found?.csrfToken.length ?? 0) >= 32);
  t.not(found?.csrfToken, sessions.find(other, true)?.csrfToken);
  t.notMatch(JSON.stringify(found), token, 'the cookie is not kept');
  for (const wrong of ['', `${token}x`, found?.id ?? '']) t.equal(sessions.find(wrong, true), null);
});

t.test('it ends when nobody touches it, and in any case after its time', async (t) => {
  const { clock, sessions } = fixture();
  const token = sessions.open(account('ops'));
  clock.nowMs = 999;
  t.ok(sessions.find(token, false), 'polling does not keep it open');
  clock.nowMs = 1000;
  t.equal(sessions.find(token, true), null);
  t.equal(sessions.size, 0);
  const kept = sessions.open(account('ops'));
  for (; clock.nowMs < 10_500; clock.nowMs += 500) t.ok(sessions.find(kept, true));
  clock.nowMs = 11_000;
  t.equal(sessions.find(kept, true), null, 'ten seconds after the login');
});

t.test('closed, and closed with the account', async (t) => {
  const { sessions } = fixture();
  const [a, b, c] = ['a', 'b', 'b'].map((name) => sessions.open(account(name)));
  sessions.close(sessions.find(a!, true)!.id);
  t.equal(sessions.find(a!, true), null);
  sessions.keepOnly(({ username }) => username !== 'b');
  t.equal(sessions.find(b!, true), null);
  t.equal(sessions.find(c!, true), null);
});

t.test('their number is bounded, for one user and for all', async (t) => {
  const { clock, sessions } = fixture();
  const tokens = Array.from({ length: 16 }, () => sessions.open(account('ops')));
  t.ok(sessions.find(tokens[0]!, true), 'used last');
  sessions.open(account('ops'));
  t.ok(sessions.find(tokens[0]!, true));
  t.equal(sessions.find(tokens[1]!, true), null, 'the one that was used least recently has made room');
  for (let user = 0; user < 300; user++) sessions.open(account(`user ${user}`));
  t.equal(sessions.size, 256);
  clock.nowMs = 5000;
  sessions.open(account('late'));
  t.equal(sessions.size, 1, 'those that are over go');
});
