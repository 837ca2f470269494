/**
 * The certificates, keys and authorities in force. Looks at their files every `tls.reloadIntervalMs`: what has changed is
 * read, as a whole or not at all. Ends with `stop`.
 */

import type { Config } from '../../config/schema.ts';
import type { Logger } from '../common/logger.ts';
import { type CertificateEnd, certificateEnds } from './certificate-ends.ts';
import { TlsMaterial } from './tls-material.ts';

export interface CertificateKeeperOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Others are in force from now on. */
  readonly changed: (material: TlsMaterial) => void;
}

export class CertificateKeeper {
  readonly #logger: Logger;
  readonly #changed: (material: TlsMaterial) => void;
  #config: Config;
  #material: TlsMaterial;
  #timer: NodeJS.Timeout | null = null;
  /** What the files were like that could not be used; told once. */
  #refused = '';

  /** @throws TlsMaterialError where they cannot be used */
  constructor({ config, logger, changed }: CertificateKeeperOptions) {
    this.#config = config;
    this.#logger = logger;
    this.#changed = changed;
    this.#material = TlsMaterial.read(config);
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  get ends(): readonly CertificateEnd[] {
    return certificateEnds(this.#config, this.#material);
  }

  /** Of another configuration; nobody is told. */
  use(config: Config, material: TlsMaterial): void {
    this.#config = config;
    this.#material = material;
    this.follow();
  }

  follow(): void {
    this.stop();
    this.#timer = setInterval(() => this.#look(), this.#config.tls.reloadIntervalMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Why they could not be read, and the old ones stay in force; else null. */
  readAgain(): string | null {
    try {
      this.#material = TlsMaterial.read(this.#config);
    } catch (error) {
      return (error as Error).message;
    }
    this.#logger.info('certificates read again');
    this.#changed(this.#material);
    return null;
  }

  #look(): void {
    if (!this.#material.isStale) return;
    const signature = this.#material.currentSignature;
    const reason = this.readAgain();
    // Often only the half of a renewal: the old ones stay in force, and the next look may find all of it.
    if (reason === null) return;
    if (signature !== this.#refused) this.#logger.error('certificates not changed', { reason });
    this.#refused = signature;
  }
}
