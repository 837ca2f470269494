import { readFileSync } from 'node:fs';
import t from 'tap';
import { systemClock } from '../../../src/common/clock.ts';
import { AgreementState } from '../../../src/control/failover/agreement/agreement.ts';
import {
  type AgreementChange,
  EtcdAgreement,
} from '../../../src/control/failover/agreement/etcd-agreement.ts';
import {
  EtcdClient,
  type EtcdClientOptions,
  EtcdError,
} from '../../../src/control/failover/agreement/etcd-client.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { EtcdServer } from '../../support/etcd-server.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { freePort } from '../../support/ports.ts';
import { waitUntil } from '../../support/wait-until.ts';

const NO_TLS = { ca: null, certificate: null, key: null };

function client(endpoints: readonly string[], over: Partial<EtcdClientOptions> = {}): EtcdClient {
  return new EtcdClient({
    endpoints,
    username: null,
    password: null,
    tls: NO_TLS,
    timeoutMs: 10_000,
    ...over,
  });
}

/** One Sluice's share in the agreement, and what it was told. */
/** What no disk or processor is too slow for: nobody loses its lease by itself. */
const PATIENT = { ttlMs: 60_000, timeoutMs: 10_000 };
const SHORT = { ttlMs: 2000, timeoutMs: 500 };

class Member {
  readonly changes: AgreementChange[] = [];
  readonly terms: number[] = [];
  readonly agreement: EtcdAgreement;

  constructor(name: string, endpoints: readonly string[], prefix: string, times = PATIENT) {
    this.agreement = new EtcdAgreement({
      client: client(endpoints, { timeoutMs: times.timeoutMs }),
      name,
      prefix,
      ttlMs: times.ttlMs,
      clock: systemClock,
      changed: (change) => this.changes.push(change),
      termSeen: (term) => this.terms.push(term),
    });
  }

  async is(state: AgreementState): Promise<void> {
    await waitUntil(`the agreement is ${state}`, () => this.agreement.state === state);
  }
}

t.test('etcd, spoken to', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());

  await t.test('values, comparisons and leases', async (t) => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const one = client([nobody, etcd.url]);
    t.teardown(() => one.close());
    const lease = await one.grantLease(60);
    t.ok(lease.ttlMs >= 2000);
    const absent = { key: 'a/ä', target: 'create', revision: '0' } as const;
    t.equal(await one.transact([absent], [{ key: 'a/ä', value: 'ö', lease: lease.id }]), true);
    t.equal(await one.transact([absent], [{ key: 'a/ä', value: 'x' }]), false, 'it exists');
    const [entry] = await one.list('a/');
    t.match(entry, { key: 'a/ä', value: 'ö', lease: lease.id });
    t.equal(await one.transact([{ key: 'a/ä', target: 'mod', revision: entry!.modRevision }], []), true);
    t.ok((await one.keepAlive(lease.id))! > 1000);
    await one.revokeLease(lease.id);
    t.same(await one.list('a/'), [], 'gone with its lease');
    t.equal(await one.keepAlive(lease.id), null);
    await t.rejects(one.revokeLease(lease.id), { code: 5 });
  });

  await t.test('nobody answers', async (t) => {
    const dead = client([`http://127.0.0.1:${await freePort()}`]);
    t.teardown(() => dead.close());
    await t.rejects(dead.list('a'), {
      name: 'EtcdError',
      code: null,
      message: /etcd does not answer: .*ECONNREFUSED/,
    });
    etcd.freeze();
    const waiting = client([etcd.url], { timeoutMs: 200 });
    t.teardown(() => waiting.close());
    await t.rejects(waiting.list('a'), { code: null, message: /no answer in time/ });
    etcd.thaw();
    t.same(await client([etcd.url]).list('a'), []);
  });
});

t.test('accounts of etcd', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${etcd.url}/v3/auth/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  await post('user/add', { name: 'root', password: 'secret' });
  await post('user/grant', { user: 'root', role: 'root' });
  await post('enable', {});
  const known = client([etcd.url], { username: 'root', password: 'secret' });
  const unknown = client([etcd.url], { username: 'root', password: 'wrong' });
  const nameless = client([etcd.url]);
  t.teardown(() => [known, unknown, nameless].map((one) => one.close()));
  t.same(await known.list('a'), []);
  await t.rejects(unknown.list('a'), EtcdError);
  await t.rejects(nameless.list('a'), { message: /user name is empty/ });
});

t.test('etcd behind TLS, with certificates for clients', async (t) => {
  const authority = await CertificateAuthority.create();
  t.teardown(() => authority.dispose());
  const server = await authority.issue('etcd', ['IP:127.0.0.1']);
  const own = await authority.issue('sluice');
  const etcd = await EtcdServer.start({ tls: { ...server, ca: authority.file } });
  t.teardown(() => etcd.dispose());
  const pem = (path: string) => readFileSync(path, 'utf8');
  const tls = { ca: pem(authority.file), certificate: pem(own.certificate), key: pem(own.key) };
  const trusted = client([etcd.url], { tls });
  const stranger = client([etcd.url], { tls: { ...tls, certificate: null, key: null } });
  const sceptic = client([etcd.url], { tls: { ...tls, ca: null } });
  t.teardown(() => [trusted, stranger, sceptic].map((one) => one.close()));
  t.same(await trusted.list('a'), []);
  await t.rejects(stranger.list('a'), { code: null });
  await t.rejects(sceptic.list('a'), { message: /certificate/ });
});

t.test('one of several Sluices leads', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());
  const a = new Member('a', [etcd.url], 'one');
  const b = new Member('b', [etcd.url], 'one');
  const stranger = new Member('c', [etcd.url], 'two');
  t.teardown(() => Promise.all([a, b, stranger].map(({ agreement }) => agreement.stop())));

  t.equal(a.agreement.refusal(), 'etcd is lost: etcd was not asked yet');
  await a.agreement.start();
  await b.agreement.start();
  await stranger.agreement.start();
  t.equal(a.agreement.refusal(), null);
  t.equal(b.agreement.refusal(), 'the Sluice that changes the servers is a');
  t.equal(stranger.agreement.state, AgreementState.leader, 'another prefix is another cluster');

  await t.test('terms', async (t) => {
    t.equal(await a.agreement.claimTerm({ from: 'p:1', to: 'q:1' }), 1);
    t.equal(await a.agreement.claimTerm({ from: 'q:1', to: 'p:1' }), 2);
    await t.rejects(b.agreement.claimTerm({ from: 'p:1', to: 'r:1' }), /changes the servers is a/);
    await waitUntil('the other one has seen the term', () => b.terms.at(-1) === 2);
    t.same(stranger.terms, []);
  });

  await t.test('what others see of the primary', async (t) => {
    b.agreement.announce({ identity: 'p', hears: true });
    await waitUntil('b has told', async () => (await a.agreement.peers('p')).length === 1);
    t.same(await a.agreement.peers('p'), [{ name: 'b', hears: true }]);
    t.same(await a.agreement.peers('q'), [], 'of another server it says nothing');
    t.same(await b.agreement.peers('p'), [], 'nobody asks himself');
    b.agreement.announce({ identity: 'p', hears: false });
    await waitUntil('b has told', async () => (await a.agreement.peers('p'))[0]?.hears === false);
  });

  await t.test('who leads gives it up at the end', async (t) => {
    await a.agreement.stop();
    await b.is(AgreementState.leader);
    t.equal(await b.agreement.claimTerm({ from: 'p:1', to: 'r:1' }), 3);
    t.same(
      b.changes.map(({ from, to, leader }) => [from, to, leader]),
      [
        ['lost', 'follower', 'a'],
        ['follower', 'leader', 'b'],
      ],
    );
  });
});

t.test('a Sluice that has lost etcd leads no longer, and the next one not before that', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());
  const line = await FaultProxy.start({ host: '127.0.0.1', port: etcd.port });
  t.teardown(() => line.close());
  const a = new Member('a', [`http://127.0.0.1:${line.port}`], 'one', SHORT);
  const b = new Member('b', [etcd.url], 'one', SHORT);
  t.teardown(() => Promise.all([a, b].map(({ agreement }) => agreement.stop())));
  await a.agreement.start();
  await b.agreement.start();
  t.equal(a.agreement.state, AgreementState.leader);
  let both = 0;
  const watch = setInterval(() => {
    if (a.agreement.refusal() === null && b.agreement.refusal() === null) both++;
  }, 1);
  t.teardown(() => clearInterval(watch));

  line.drop('up');
  await a.is(AgreementState.lost);
  await t.rejects(a.agreement.claimTerm({ from: null, to: 'q:1' }), /etcd is lost/);
  await t.rejects(a.agreement.peers('p'), EtcdError);
  await b.is(AgreementState.leader);
  t.equal(await b.agreement.claimTerm({ from: null, to: 'q:1' }), 1);
  line.heal();
  await a.is(AgreementState.follower);
  t.equal(both, 0, 'never two at once');
  t.match(a.agreement.refusal(), 'changes the servers is b');
  t.same(a.terms, [1]);
});

t.test('a term that was begun behind our back is not begun again', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());
  const a = new Member('a', [etcd.url], 'one');
  t.teardown(() => a.agreement.stop());
  await a.agreement.start();
  const other = client([etcd.url]);
  t.teardown(() => other.close());
  await other.transact([], [{ key: 'one/term', value: '{"term":7}' }]);
  await t.rejects(a.agreement.claimTerm({ from: null, to: 'q:1' }), /has begun a term/);
  await waitUntil('the term is known', () => a.terms.at(-1) === 7);
  t.equal(await a.agreement.claimTerm({ from: null, to: 'q:1' }), 8);
  await other.transact([], [{ key: 'one/term', value: 'nonsense' }]);
  await t.rejects(a.agreement.claimTerm({ from: null, to: 'q:1' }));
});
