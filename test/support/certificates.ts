/** A certificate authority of a test's own, and what it has signed. Files are PEM; keys are EC, which is quick. */

import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';

const run = promisify(execFile);

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export class CertificateAuthority {
  readonly directory = makeTemporaryDirectory('certificates');
  /** Its own certificate. */
  readonly file = join(this.directory, 'ca.pem');
  readonly #key = join(this.directory, 'ca-key.pem');
  readonly #openssl: string;
  readonly #name: string;

  private constructor(openssl: string, name: string) {
    this.#openssl = openssl;
    this.#name = name;
  }

  static async create(name = 'Sluice test authority'): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(await findProgram(['openssl']), name);
    await authority.#makeOwn();
    return authority;
  }

  /** @param names e.g. `DNS:localhost`, `IP:127.0.0.1`; none for a client's certificate. */
  async issue(commonName: string, names: readonly string[] = []): Promise<CertificateFiles> {
    const base = join(this.directory, commonName);
    const files = { certificate: `${base}.pem`, key: `${base}-key.pem` };
    const extensions = `${base}.ext`;
    writeFileSync(
      extensions,
      `basicConstraints=CA:FALSE\n${names.length > 0 ? `subjectAltName=${names.join(',')}\n` : ''}`,
    );
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await this.#run([
      'req',
      ...newKey,
      '-keyout',
      files.key,
      '-out',
      `${base}.csr`,
      '-subj',
      `/CN=${commonName}`,
    ]);
    const signer = ['-CA', this.file, '-CAkey', this.#key, '-CAcreateserial', '-days', '2'];
    await this.#run([
      'x509',
      '-req',
      '-in',
      `${base}.csr`,
      ...signer,
      '-extfile',
      extensions,
      '-out',
      files.certificate,
    ]);
    return files;
  }

  /** A copy that a test may overwrite. */
  copy(files: CertificateFiles, name: string): CertificateFiles {
    const to = {
      certificate: join(this.directory, `${name}.pem`),
      key: join(this.directory, `${name}-key.pem`),
    };
    this.replace(files, to);
    return to;
  }

  replace(from: CertificateFiles, to: CertificateFiles): void {
    copyFileSync(from.key, to.key);
    copyFileSync(from.certificate, to.certificate);
  }

  dispose(): void {
    removeTemporaryDirectory(this.directory);
  }

  async #makeOwn(): Promise<void> {
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await this.#run([
      ...['req', '-x509', ...newKey, '-keyout', this.#key, '-out', this.file, '-days', '2'],
      ...['-subj', `/CN=${this.#name}`, '-addext', 'basicConstraints=critical,CA:TRUE'],
    ]);
  }

  async #run(args: readonly string[]): Promise<void> {
    await run(this.#openssl, args);
  }
}

/** What Sluice, or a server, on this machine is called. */
export const LOCAL_NAMES = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'];
