/**
 * Looks at a client's first bytes for the header that a load balancer puts in front. The greeting goes out without
 * waiting for them, since the header comes by itself, before the client's own first packet, or not at all: so a
 * client without one, from a network where others have one, is served as ever.
 */

import { type ProxyHeader, parseProxyHeader } from '../../../protocol/index.ts';
import type { ClientStream, ClientStreamOwner } from '../io/client-stream.ts';

export interface FirstBytesListener {
  /** Whether this client's header is believed. */
  readonly isTrusted: () => boolean;
  /** `address` is empty for a Unix socket. */
  sourceTold(address: string, port: number): void;
  untrusted(): void;
}

const NOTHING = Buffer.alloc(0);

/** Takes the place of the stream's owner until it has seen enough. */
export function watchFirstBytes(stream: ClientStream, listener: FirstBytesListener): void {
  const owner = stream.owner;
  let kept = NOTHING;
  const look = (bytes: Buffer, header: ProxyHeader): void => {
    if (header.kind === 'incomplete') {
      kept = Buffer.from(bytes);
      return;
    }
    stream.owner = owner;
    let rest = bytes;
    if (header.kind === 'header') {
      if (!listener.isTrusted()) {
        listener.untrusted();
        return;
      }
      if (header.source !== null) listener.sourceTold(header.source.address, header.source.port);
      rest = bytes.subarray(header.bytes);
    }
    if (rest.length > 0) owner.onBytes(rest, rest.length);
  };
  const watching: ClientStreamOwner = {
    onBytes: (buffer, length) => {
      const chunk = buffer.subarray(0, length);
      const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      let header: ProxyHeader;
      try {
        header = parseProxyHeader(bytes);
      } catch (error) {
        stream.owner = owner;
        // What is wrong with a header that is not believed anyway is nobody's business.
        if (listener.isTrusted()) owner.onBroken(error as Error);
        else listener.untrusted();
        return;
      }
      look(bytes, header);
    },
    onDrain: () => owner.onDrain(),
    onClosed: (error) => owner.onClosed(error),
    onBroken: (error) => owner.onBroken(error),
    acceptsBytes: () => true,
  };
  stream.owner = watching;
}
