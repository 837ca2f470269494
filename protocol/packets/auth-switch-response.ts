/**
 * The client's next proof; the whole payload is the plugin's data, with no header.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_response.html
 */
export interface AuthSwitchResponse {
  readonly data: Buffer;
}

/** `data` is a view. */
export function decodeAuthSwitchResponse(view: Buffer): AuthSwitchResponse {
  return { data: view };
}

export function encodeAuthSwitchResponse(value: AuthSwitchResponse): Buffer {
  return Buffer.from(value.data);
}
