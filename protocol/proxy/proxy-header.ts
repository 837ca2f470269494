/**
 * The header that HAProxy and other load balancers put in front of a connection, to say whose it is.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 */

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { MalformedPacketError } from '../errors.ts';
import { crc32c } from './crc32c.ts';

export interface ProxyEndpoint {
  /** In the shortest form; empty for a Unix socket. */
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** The bytes are no header, nor the start of one. */
  | { readonly kind: 'none' }
  /** More is needed to tell. */
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'header';
      /** Its length; the client's own bytes follow. */
      readonly bytes: number;
      /** Whose connection it is; null if the one who connected speaks for itself (LOCAL, UNKNOWN). */
      readonly source: ProxyEndpoint | null;
    };

const V1_SIGNATURE = Buffer.from('PROXY ', 'latin1');
/** "PROXY TCP6 …" with the longest addresses and ports, and CRLF. */
const V1_MAX_BYTES = 107;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
const V2_COMMAND_LOCAL = 0x20;
const V2_COMMAND_PROXY = 0x21;
const TLV_CRC32C = 0x03;
const TLV_HEADER_BYTES = 3;

/** Address block by family and transport; of transports only streams are MySQL. */
const V2_ADDRESSES: Readonly<Record<number, { readonly bytes: number; readonly decode: Decode }>> = {
  0: { bytes: 0, decode: () => null },
  17: { bytes: 12, decode: (view) => ({ address: ipv4(view), port: view.readUInt16BE(8) }) },
  33: { bytes: 36, decode: (view) => ({ address: ipv6(view), port: view.readUInt16BE(32) }) },
  49: { bytes: 216, decode: () => ({ address: '', port: 0 }) },
};
type Decode = (view: Buffer) => ProxyEndpoint | null;

/**
 * Looks at the first bytes of a connection. No MySQL client's begin like a header: its first packet would have
 * sequence id 88 or 10.
 * @throws MalformedPacketError for what begins like a header and is none.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V1_SIGNATURE)) return parseV1(bytes);
  if (startsLike(bytes, V2_SIGNATURE)) return parseV2(bytes);
  return bytes.length === 0 ? { kind: 'incomplete' } : { kind: 'none' };
}

function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return length > 0 && bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseV1(bytes: Buffer): ProxyHeader {
  const line = bytes.subarray(0, V1_MAX_BYTES);
  const end = line.indexOf('\r\n');
  if (end < 0) {
    if (line.length < V1_MAX_BYTES) return { kind: 'incomplete' };
    throw new MalformedPacketError('PROXY line without an end', V1_MAX_BYTES);
  }
  const source = parseV1Line(line.toString('latin1', V1_SIGNATURE.length, end));
  return { kind: 'header', bytes: end + 2, source };
}

function parseV1Line(text: string): ProxyEndpoint | null {
  const [family = '', from = '', to = '', fromPort = '', toPort = '', ...rest] = text.split(' ');
  // Whatever follows UNKNOWN means nothing.
  if (family === 'UNKNOWN') return null;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null;
  if (isAddress === null) throw new MalformedPacketError('family of the PROXY line', V1_SIGNATURE.length);
  if (!isAddress(from) || !isAddress(to))
    throw new MalformedPacketError('address of the PROXY line', V1_SIGNATURE.length);
  if (rest.length > 0 || !isPort(fromPort) || !isPort(toPort))
    throw new MalformedPacketError('port of the PROXY line', V1_SIGNATURE.length);
  return { address: family === 'TCP6' ? shortest(from) : from, port: Number(fromPort) };
}

function isPort(text: string): boolean {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 0xffff;
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return { kind: 'incomplete' };
  const command = bytes[12]!;
  if (command !== V2_COMMAND_LOCAL && command !== V2_COMMAND_PROXY)
    throw new MalformedPacketError('version or command of the PROXY header', 12);
  const total = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  const known = V2_ADDRESSES[bytes[13]!];
  if (command === V2_COMMAND_PROXY && known === undefined)
    throw new MalformedPacketError('address family of the PROXY header', 13);
  // Of LOCAL nothing but the length counts; a family that is known says where the TLVs begin, though.
  const tlvStart = V2_FIXED_BYTES + (known?.bytes ?? 0);
  if (command === V2_COMMAND_PROXY && total < tlvStart)
    throw new MalformedPacketError('addresses of the PROXY header', 14);
  if (bytes.length < total) return { kind: 'incomplete' };
  const header = bytes.subarray(0, total);
  if (command === V2_COMMAND_LOCAL) return { kind: 'header', bytes: total, source: null };
  checkTlvs(header, tlvStart);
  return { kind: 'header', bytes: total, source: known!.decode(header.subarray(V2_FIXED_BYTES)) };
}

/** They must fill the header exactly, and its checksum must be right if there is one; none says more about whose it is. */
function checkTlvs(header: Buffer, start: number): void {
  let position = start;
  while (position < header.length) {
    if (header.length - position < TLV_HEADER_BYTES)
      throw new MalformedPacketError('TLV of the PROXY header', position);
    const value = position + TLV_HEADER_BYTES;
    const end = value + header.readUInt16BE(position + 1);
    if (end > header.length) throw new MalformedPacketError('TLV of the PROXY header', position);
    if (header[position] === TLV_CRC32C) checkCrc(header, value, end);
    position = end;
  }
}

function checkCrc(header: Buffer, start: number, end: number): void {
  if (end - start !== 4) throw new MalformedPacketError('checksum of the PROXY header', start);
  const zeroed = Buffer.from(header).fill(0, start, end);
  if (crc32c(zeroed) !== header.readUInt32BE(start))
    throw new MalformedPacketError('checksum of the PROXY header (it is wrong)', start);
}

function ipv4(view: Buffer): string {
  return view.subarray(0, 4).join('.');
}

function ipv6(view: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2).toString(16));
  return shortest(groups.join(':'));
}

function shortest(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
