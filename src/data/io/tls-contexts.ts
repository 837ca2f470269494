/** Node's form of the TLS settings that a snapshot brings, made anew only when they change. */

import { createSecureContext, type SecureContext } from 'node:tls';
import type { BackendTls, ClientTls } from '../../common/snapshot.ts';
import type { TlsAccept } from './tls-client-stream.ts';

/** Resumed sessions are refused where certificates are asked for, unless the context has a name. */
const SESSION_ID_CONTEXT = 'sluice';

export class ClientTlsContext {
  #made: ClientTls | null = null;
  #accept: TlsAccept | null = null;

  /** null: TLS is not offered. */
  get accept(): TlsAccept | null {
    return this.#accept;
  }

  /** Established connections keep what they have; new handshakes use this. */
  update(tls: ClientTls | null): void {
    if (isSameMaterial(tls, this.#made)) return;
    this.#made = tls;
    this.#accept = tls === null ? null : acceptOf(tls);
  }
}

function acceptOf(tls: ClientTls): TlsAccept {
  const { certificate, key, ca, minVersion, ticketKeys } = tls;
  const context = createSecureContext({
    cert: certificate,
    key,
    ...(ca === null ? {} : { ca }),
    minVersion,
    ticketKeys: Buffer.from(ticketKeys),
    sessionIdContext: SESSION_ID_CONTEXT,
  });
  return { context, requestCertificate: ca !== null };
}

type Pem = Pick<BackendTls, 'ca' | 'certificate' | 'key' | 'minVersion'>;

const MOST_BACKEND_CONTEXTS = 512;
const backendContexts = new Map<string, SecureContext>();

/** One per kind of settings: parsing certificates for each connection would be slow. */
export function backendContext({ ca, certificate, key, minVersion }: Pem): SecureContext {
  const name = [ca, certificate, key, minVersion].join('\0');
  let context = backendContexts.get(name);
  if (context === undefined) {
    context = createSecureContext({
      ...(ca === null ? {} : { ca }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
      minVersion,
    });
    // Old certificates stay until there are too many of them.
    if (backendContexts.size >= MOST_BACKEND_CONTEXTS) backendContexts.clear();
    backendContexts.set(name, context);
  }
  return context;
}

function isSameMaterial(a: ClientTls | null, b: ClientTls | null): boolean {
  if (a === null || b === null) return a === b;
  return a.certificate === b.certificate && a.key === b.key && a.ca === b.ca && a.minVersion === b.minVersion;
}
