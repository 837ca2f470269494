/** The binlog over TLS: an account that must not be used without, and a server whose certificate is not the one expected. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { BackendTls } from '../../../src/common/snapshot.ts';
import { CertificateAuthority, LOCAL_NAMES } from '../../support/certificates.ts';
import { FollowedEpochs } from '../../support/followed-epochs.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

const FOLLOWER = { username: 'follower', password: 'follower-secret' };

t.test('MariaDB', async (t) => {
  const authority = await CertificateAuthority.create();
  const stranger = await CertificateAuthority.create('somebody else');
  t.teardown(() => {
    authority.dispose();
    stranger.dispose();
  });
  const { certificate, key } = await authority.issue('server', LOCAL_NAMES);
  const { username, password } = FOLLOWER;
  const set = new ReplicationSet({
    replicas: 0,
    args: [`--ssl-ca=${authority.file}`, `--ssl-cert=${certificate}`, `--ssl-key=${key}`],
    sql: [
      'CREATE TABLE app.t (v LONGTEXT)',
      `CREATE USER ${username} IDENTIFIED BY '${password}' REQUIRE SSL`,
      `GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO ${username}`,
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const tls: BackendTls = {
    mode: 'VERIFY_IDENTITY',
    ca: readFileSync(authority.file, 'utf8'),
    certificate: null,
    key: null,
    minVersion: 'TLSv1.2',
    serverName: 'localhost',
  };
  const followed = new FollowedEpochs({ account: FOLLOWER, tls });
  t.teardown(() => followed.stop());
  await followed.follow(set.primary);
  const raised = await followed.raisedBy(['t'], () =>
    set.primary.query("INSERT INTO app.t VALUES (REPEAT('x', 3000000))"),
  );
  t.strictSame(raised, { t: { epoch: 2, structure: 0 } });

  const mistrusts = new FollowedEpochs({
    account: FOLLOWER,
    tls: { ...tls, ca: readFileSync(stranger.file, 'utf8') },
  });
  t.teardown(() => mistrusts.stop());
  mistrusts.begin(set.primary);
  await waitUntil('it says why', () => mistrusts.events.length > 0);
  t.match(mistrusts.events, [{ to: 'connecting', reason: /certificate|issuer/i }]);
  t.equal(mistrusts.isVouched, false);
});
