import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../../config/load.ts';
import { certificateEnds } from '../../../src/control/certificate-ends.ts';
import { TlsMaterial } from '../../../src/control/tls-material.ts';
import { CertificateAuthority } from '../../support/certificates.ts';

const DAY_MS = 86_400_000;

const authority = await CertificateAuthority.create();
t.teardown(() => authority.dispose());
const own = await authority.issue('localhost', ['DNS:localhost']);

function endsOf(settings: object) {
  const values = {
    servers: ['db1', 'db2'],
    monitor: { username: 'm', password: 'p' },
    users: [],
    ...settings,
  };
  const config = loadConfig({ file: 'test.yaml', text: JSON.stringify(values), env: {}, flags: {} });
  const material = TlsMaterial.read(config);
  const ends = certificateEnds(config, material);
  t.equal(certificateEnds(config, material), ends, 'looked up once');
  return ends.map(({ setting, endsAtMs }) => [setting, Math.round((endsAtMs - Date.now()) / DAY_MS)]);
}

t.test('none, where none is shown', async (t) => {
  t.strictSame(endsOf({}), []);
  t.strictSame(
    endsOf({ backendTls: { mode: 'VERIFY_CA', ca: authority.file } }),
    [],
    'authorities do not count',
  );
});

t.test('by the setting that names them', async (t) => {
  const { certificate, key } = own;
  const settings = {
    tls: { certificate, key },
    admin: { tlsCertificate: certificate, tlsKey: key },
    backendTls: { mode: 'REQUIRED', certificate, key },
    servers: ['db1', { host: 'db2', tlsCertificate: certificate, tlsKey: key }],
  };
  t.strictSame(endsOf(settings), [
    ['tls.certificate', 2],
    ['admin.tlsCertificate', 2],
    ['backendTls.certificate', 2],
    ['servers[1].tlsCertificate', 2],
  ]);
});

t.test('of a chain the earliest, in whatever order', async (t) => {
  const chain = join(authority.directory, 'chain.pem');
  writeFileSync(chain, readFileSync(own.certificate, 'utf8') + readFileSync(authority.file, 'utf8'));
  const [[, days] = []] = endsOf({ tls: { certificate: chain, key: own.key } });
  t.equal(days, 2);
});
