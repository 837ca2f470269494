/** Certificates that belong to a key, addresses and networks that can be used. Files are not looked into here. */
import { isIP, isIPv4 } from 'node:net';
import type { CheckProblem, Placed } from './checks.ts';
import type { ConfigValues, ServerConfig, UserConfig } from './schema.ts';
import { parseServerAddress } from './server-address.ts';

/** Room for a path in sockaddr_un on Linux, without its closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

export function checkSocketPath(
  socket: string | null,
  path: readonly PropertyKey[],
  problems: CheckProblem[],
): void {
  const bytes = Buffer.byteLength(socket ?? '');
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  const message = `the path has ${bytes} bytes, the system allows ${MAX_SOCKET_PATH_BYTES}`;
  problems.push({ path, message });
}

export function checkAddresses(
  section: 'listen' | 'admin',
  addresses: readonly string[],
  problems: CheckProblem[],
): void {
  for (const [index, text] of addresses.entries()) {
    const path = [section, 'addresses', index];
    if (text.includes('/')) {
      checkSocketPath(text, path, problems);
      continue;
    }
    const address = parseServerAddress(text, 0);
    if (!address.ok) problems.push({ path, message: address.message });
    if (addresses.indexOf(text) < index)
      problems.push({
        path,
        message: `${text} is in the list already, as ${section}.addresses[${addresses.indexOf(text)}]`,
      });
  }
}

function isNetwork(text: string): boolean {
  if (text === '*' || text === 'localhost' || isIP(text) !== 0) return true;
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || isIP(address) === 0 || !/^[0-9]{1,3}$/.test(bits)) return false;
  return Number(bits) <= (isIPv4(address) ? 32 : 128);
}

export function checkNetworks(networks: readonly string[], problems: CheckProblem[]): void {
  for (const [index, text] of networks.entries()) {
    if (isNetwork(text)) continue;
    const message = `"${text.slice(0, 80)}" is no network, expected 10.0.0.0/8, an IP address, localhost or *`;
    problems.push({ path: ['proxyProtocol', 'networks', index], message });
  }
}

type PairKeys = { readonly certificate: string | null; readonly key: string | null };

function checkPair(
  { certificate, key }: PairKeys,
  paths: { readonly certificate: readonly PropertyKey[]; readonly key: readonly PropertyKey[] },
  problems: CheckProblem[],
): void {
  if ((certificate === null) === (key === null)) return;
  const missing = certificate === null ? 'certificate' : 'key';
  const message = certificate === null ? 'a key without its certificate' : 'a certificate without its key';
  problems.push({ path: paths[missing], message });
}

export function checkServerTls(server: ServerConfig, index: number, problems: CheckProblem[]): void {
  const paths = { certificate: ['servers', index, 'tlsCertificate'], key: ['servers', index, 'tlsKey'] };
  checkPair({ certificate: server.tlsCertificate, key: server.tlsKey }, paths, problems);
}

function checkAdminTls(admin: ConfigValues['admin'], hasClientPair: boolean, problems: CheckProblem[]): void {
  const paths = { certificate: ['admin', 'tlsCertificate'], key: ['admin', 'tlsKey'] };
  checkPair({ certificate: admin.tlsCertificate, key: admin.tlsKey }, paths, problems);
  if (hasClientPair || admin.tlsCertificate !== null) return;
  const missing = 'neither admin.tlsCertificate nor tls.certificate is set';
  if (admin.tlsRequired)
    problems.push({ path: ['admin', 'tlsRequired'], message: `nobody could log in: ${missing}` });
  if (admin.tlsCa !== null)
    problems.push({ path: ['admin', 'tlsCa'], message: `nobody could log in: ${missing}` });
}

export function checkTls(
  { tls, backendTls, admin }: ConfigValues,
  users: readonly Placed<UserConfig>[],
  problems: CheckProblem[],
): void {
  const inSection = (name: string) => ({ certificate: [name, 'certificate'], key: [name, 'key'] });
  checkPair(tls, inSection('tls'), problems);
  checkPair(backendTls, inSection('backendTls'), problems);
  checkAdminTls(admin, tls.certificate !== null, problems);
  if (tls.certificate !== null) return;
  if (tls.required)
    problems.push({ path: ['tls', 'required'], message: 'nobody could log in: tls.certificate is not set' });
  if (tls.ca !== null) problems.push({ path: ['tls', 'ca'], message: 'of no use without tls.certificate' });
  for (const { index, value } of users) {
    if (value.requireTls === false || value.requireTls === 'NONE') continue;
    const message = `user "${value.username}" could not log in: tls.certificate is not set`;
    problems.push({ path: ['users', index, 'requireTls'], message });
  }
}
