/** When the certificates end that Sluice shows to others. Authorities are not counted: bundles of them hold old ones. */
import { X509Certificate } from 'node:crypto';
import type { Config } from '../../config/schema.ts';
import { serverTlsOf, type TlsMaterial } from './tls-material.ts';

export interface CertificateEnd {
  /** That names the certificate: `tls.certificate`. */
  readonly setting: string;
  /** Milliseconds since 1970; of a chain the earliest. */
  readonly endsAtMs: number;
}

const known = new WeakMap<TlsMaterial, readonly CertificateEnd[]>();

/** Looked up once for what is in force. */
export function certificateEnds(config: Config, material: TlsMaterial): readonly CertificateEnd[] {
  const found = known.get(material) ?? findEnds(config, material);
  known.set(material, found);
  return found;
}

function findEnds(config: Config, material: TlsMaterial): CertificateEnd[] {
  const { tls, admin, backendTls, servers } = config;
  const ends: CertificateEnd[] = [];
  const add = (setting: string, pem: string | null): void => {
    const endsAtMs = pem === null ? null : endOf(pem);
    if (endsAtMs !== null) ends.push({ setting, endsAtMs });
  };
  if (tls.certificate !== null) add('tls.certificate', material.client?.certificate ?? null);
  if (admin.tlsCertificate !== null) add('admin.tlsCertificate', material.admin?.certificate ?? null);
  const common = servers.find(({ tlsCertificate }) => tlsCertificate === null);
  if (backendTls.certificate !== null && common !== undefined)
    add('backendTls.certificate', material.forServer(common.host, serverTlsOf(config, common)).certificate);
  for (const [index, server] of servers.entries())
    if (server.tlsCertificate !== null)
      add(
        `servers[${index}].tlsCertificate`,
        material.forServer(server.host, serverTlsOf(config, server)).certificate,
      );
  return ends;
}

function endOf(pem: string): number | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const ends = blocks.map((block) => new X509Certificate(block).validToDate.getTime());
  return ends.length === 0 ? null : Math.min(...ends);
}
