/**
 * The certificates, keys and authorities that the configuration names, as PEM text that has been tried. Read as a
 * whole or not at all: what is in force stays until all of the new files go together.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../../config/schema.ts';
import type { BackendTls, ClientTls } from '../common/snapshot.ts';
import { type ServerTls, TlsMode } from '../topology/server-description.ts';

/** Names the setting and what is wrong with it; never holds a key. */
export class TlsMaterialError extends Error {
  override readonly name = 'TlsMaterialError';
}

const TICKET_KEY_BYTES = 48;

export class TlsMaterial {
  readonly client: ClientTls | null;
  /** For the admin port. */
  readonly admin: ClientTls | null;
  readonly #minVersion: BackendTls['minVersion'];
  /** By configured value. */
  readonly #texts: ReadonlyMap<string, string>;
  /** What the files were like when they were read. */
  readonly #signature: string;

  private constructor(config: Config) {
    const files = new PemFiles();
    this.#minVersion = config.backendTls.minVersion;
    this.client = clientTls(config, files);
    this.admin = adminTls(config, files);
    for (const [index, server] of config.servers.entries()) {
      const setting = `servers[${index}]`;
      readServer(setting, serverTlsOf(config, server), config.backendTls.minVersion, files);
    }
    this.#texts = files.texts;
    this.#signature = files.signature;
  }

  /** @throws TlsMaterialError */
  static read(config: Config): TlsMaterial {
    return new TlsMaterial(config);
  }

  /** Whether a file is another one than when it was read. */
  get isStale(): boolean {
    return signatureOf(pathsOf(this.#texts.keys())) !== this.#signature;
  }

  /** What the files are like now, to tell one failure from the next. */
  get currentSignature(): string {
    return signatureOf(pathsOf(this.#texts.keys()));
  }

  forServer(host: string, tls: ServerTls): BackendTls {
    const text = (value: string | null): string | null =>
      value === null ? null : (this.#texts.get(value) ?? null);
    return {
      mode: tls.mode,
      ca: text(tls.ca),
      certificate: text(tls.certificate),
      key: text(tls.key),
      minVersion: this.#minVersion,
      serverName: tls.serverName ?? host,
    };
  }
}

/** A server's own settings over those for all. */
export function serverTlsOf(config: Config, server: Config['servers'][number]): ServerTls {
  const { backendTls } = config;
  const hasOwnPair = server.tlsCertificate !== null;
  const mode = server.tls ?? backendTls.mode;
  return {
    mode: typeof mode === 'boolean' ? (mode ? TlsMode.REQUIRED : TlsMode.DISABLED) : mode,
    ca: server.tlsCa ?? backendTls.ca,
    certificate: hasOwnPair ? server.tlsCertificate : backendTls.certificate,
    key: hasOwnPair ? server.tlsKey : backendTls.key,
    serverName: server.tlsServerName,
  };
}

class PemFiles {
  readonly texts = new Map<string, string>();

  get signature(): string {
    return signatureOf(pathsOf(this.texts.keys()));
  }

  /** `value` is a path or PEM text. */
  read(setting: string, value: string | null): string | null {
    if (value === null) return null;
    const known = this.texts.get(value);
    if (known !== undefined) return known;
    let text = value;
    if (!isPem(value)) {
      try {
        text = readFileSync(value, 'utf8');
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
        throw new TlsMaterialError(`${setting}: ${value} cannot be read (${reason})`);
      }
      if (!isPem(text)) throw new TlsMaterialError(`${setting}: ${value} holds nothing in PEM`);
    }
    this.texts.set(value, text);
    return text;
  }
}

/** @param value a path or PEM text; @throws TlsMaterialError */
export function readPem(setting: string, value: string | null): string | null {
  return new PemFiles().read(setting, value);
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

function pathsOf(values: Iterable<string>): string[] {
  return [...values].filter((value) => !isPem(value));
}

/** Whoever replaces a file changes one of these; a link that is moved (as in a Kubernetes volume) the inode. */
function signatureOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? `${path} -` : `${path} ${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    })
    .join('\n');
}

function clientTls({ tls }: Config, files: PemFiles): ClientTls | null {
  const { certificate, key, ca, minVersion, required } = tls;
  const names = { setting: 'tls', certificate: 'tls.certificate', key: 'tls.key', ca: 'tls.ca' };
  return acceptedTls(names, { certificate, key, ca, minVersion, required }, files);
}

function adminTls({ tls, admin }: Config, files: PemFiles): ClientTls | null {
  const hasOwnPair = admin.tlsCertificate !== null;
  const settings = {
    certificate: hasOwnPair ? admin.tlsCertificate : tls.certificate,
    key: hasOwnPair ? admin.tlsKey : tls.key,
    ca: admin.tlsCa,
    minVersion: tls.minVersion,
    required: admin.tlsRequired,
  };
  const names = {
    setting: 'TLS of the admin port',
    certificate: hasOwnPair ? 'admin.tlsCertificate' : 'tls.certificate',
    key: hasOwnPair ? 'admin.tlsKey' : 'tls.key',
    ca: 'admin.tlsCa',
  };
  return acceptedTls(names, settings, files);
}

interface TlsNames {
  readonly setting: string;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

type TlsSettings = Pick<ClientTls, 'minVersion' | 'required'> & {
  readonly [Name in 'certificate' | 'key' | 'ca']: string | null;
};

function acceptedTls(names: TlsNames, settings: TlsSettings, files: PemFiles): ClientTls | null {
  const { minVersion, required } = settings;
  const certificate = files.read(names.certificate, settings.certificate);
  const key = files.read(names.key, settings.key);
  const ca = files.read(names.ca, settings.ca);
  if (certificate === null || key === null) return null;
  tryContext(names.setting, { cert: certificate, key, ...(ca === null ? {} : { ca }), minVersion });
  return { certificate, key, ca, minVersion, required, ticketKeys: randomBytes(TICKET_KEY_BYTES) };
}

function readServer(
  setting: string,
  tls: ServerTls,
  minVersion: BackendTls['minVersion'],
  files: PemFiles,
): void {
  const ca = files.read(`CA for ${setting}`, tls.ca);
  const cert = files.read(`certificate for ${setting}`, tls.certificate);
  const key = files.read(`key for ${setting}`, tls.key);
  tryContext(`TLS of ${setting}`, {
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
    minVersion,
  });
}

/** A key of another certificate, a broken file: better said now than at the first handshake. */
function tryContext(setting: string, options: Parameters<typeof createSecureContext>[0]): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new TlsMaterialError(`${setting}: ${(error as Error).message}`);
  }
}
