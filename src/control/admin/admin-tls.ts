/** The certificates of the admin port, in Node's form. */

import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClientTls } from '../../common/snapshot.ts';

/** Resumed sessions are refused where certificates are asked for, unless the context has a name. */
const SESSION_ID_CONTEXT = 'sluice-admin';

export interface AdminTls {
  readonly context: SecureContext;
  /** Nobody logs in by TCP without a certificate that the configured authority has signed. */
  readonly needsCertificate: boolean;
  /** Nobody logs in by TCP without TLS. */
  readonly required: boolean;
}

/** @returns null: TLS is not offered */
export function adminTlsOf(tls: ClientTls | null): AdminTls | null {
  if (tls === null) return null;
  const { certificate, key, ca, minVersion, required, ticketKeys } = tls;
  const context = createSecureContext({
    cert: certificate,
    key,
    ...(ca === null ? {} : { ca }),
    minVersion,
    ticketKeys: Buffer.from(ticketKeys),
    sessionIdContext: SESSION_ID_CONTEXT,
  });
  return { context, needsCertificate: ca !== null, required: required || ca !== null };
}
