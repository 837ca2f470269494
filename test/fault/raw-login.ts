import { BASE_CAPABILITIES, WireClient } from '../integration/differential/wire-client.ts';
import { Capability } from '../integration/differential/wire-constants.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../support/replication-set.ts';

export interface LoginOptions {
  readonly user?: string;
  readonly password?: string;
  readonly schema?: string | null;
  readonly capabilities?: number;
}

/** A session whose packets the test writes and reads itself, as `app` unless told otherwise. */
export function rawLogin(
  endpoint: { readonly host: string; readonly port: number },
  options: LoginOptions = {},
): Promise<WireClient> {
  return WireClient.connect({
    host: endpoint.host,
    port: endpoint.port,
    user: options.user ?? APP_ACCOUNT.username,
    password: options.password ?? APP_ACCOUNT.password,
    schema: options.schema === undefined ? APP_SCHEMA : options.schema,
    collationId: 45,
    capabilities: BASE_CAPABILITIES | (options.capabilities ?? Capability.deprecateEof),
  });
}

/** A packet with a header of our choice. */
export function frame(sequenceId: number, payload: Buffer, claimedBytes = payload.length): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(claimedBytes, 0, 3);
  header[3] = sequenceId;
  return Buffer.concat([header, payload]);
}
