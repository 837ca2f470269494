import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * The server's request for a file (LOAD DATA LOCAL); the client sends packets of content and an empty one.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html
 */
export interface LocalInfileRequest {
  readonly filename: string;
}

export const LOCAL_INFILE_HEADER = 0xfb;

export function decodeLocalInfileRequest(view: Buffer): LocalInfileRequest {
  const reader = new BufferReader(view);
  if (reader.readU8('LOCAL INFILE header') !== LOCAL_INFILE_HEADER) {
    throw new MalformedPacketError('LOCAL INFILE header', 0);
  }
  return { filename: reader.readRestString() };
}

export function encodeLocalInfileRequest(value: LocalInfileRequest): Buffer {
  return new BufferWriter().writeU8(LOCAL_INFILE_HEADER).writeString(value.filename).take();
}
