/**
 * What the process that gives its sockets away and the one that takes them say to each other, over the channel of a child
 * process (JSON). They may be of different versions: nothing is understood but what is here, and what is not understood
 * ends the handover while the old process still has everything.
 */

import { type ListeningSocket, SocketUse } from '../../common/listening-socket.ts';
import type { AdministrativeStatus } from '../../topology/server-health.ts';

/** Goes up with each change that the other side has to know of. */
export const HANDOVER_PROTOCOL = 1;
/** Set for the new process, which removes it: what it starts itself is none. No setting's name begins so. */
export const HANDOVER_VARIABLE = '_SLUICE_HANDOVER';

/** The first thing that the old process says. */
export interface HandoverOffer {
  readonly type: 'offer';
  readonly protocol: number;
  readonly version: string;
  /** Of the old process. */
  readonly pid: number;
  /** `fd` is the number in the new process. */
  readonly sockets: readonly ListeningSocket[];
  /** The new process counts its clients' ids from here: none is one of the old process's. */
  readonly nextConnectionId: number;
  /** How often it was done by the processes before, and how often it was tried in vain. */
  readonly done: number;
  readonly failed: number;
}

/** What an operator has said of a server, and no table holds. */
export interface AdministeredServer {
  readonly address: string;
  readonly status: AdministrativeStatus;
}

export type FromGiver =
  | HandoverOffer
  /** It has given up what only one may do, and vouches for nothing any more: let clients in. */
  | { readonly type: 'yours'; readonly administered: readonly AdministeredServer[] }
  /** It does not accept any more, and has ended what only one may do. */
  | { readonly type: 'released' }
  /** It will not be. */
  | { readonly type: 'cancelled'; readonly reason: string }
  /** Clients that it still has. */
  | { readonly type: 'draining'; readonly clients: number }
  /** It ends, and nothing of its clients is under way at a server. */
  | { readonly type: 'gone' };

export type FromTaker =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string }
  /** What it waits for, before it is ready. */
  | { readonly type: 'waiting'; readonly reasons: readonly string[] }
  | { readonly type: 'ready' }
  /** It lets clients in. */
  | { readonly type: 'taken' }
  /** Whoever watches over the service knows that it is this process now: the old one may end. */
  | { readonly type: 'announced' }
  /** Lines that it has written, in case that they are its last. */
  | { readonly type: 'words'; readonly text: string };

const USES: ReadonlySet<unknown> = new Set(Object.values(SocketUse));

/** null for what is no message of this protocol. */
export function readFromGiver(message: unknown): FromGiver | null {
  if (!isRecord(message)) return null;
  switch (message.type) {
    case 'offer':
      return isOffer(message) ? message : null;
    case 'yours':
      return isAdministered(message.administered)
        ? { type: 'yours', administered: message.administered }
        : null;
    case 'released':
    case 'gone':
      return { type: message.type };
    case 'cancelled':
      return typeof message.reason === 'string' ? { type: 'cancelled', reason: message.reason } : null;
    case 'draining':
      return isCount(message.clients) ? { type: 'draining', clients: message.clients } : null;
    default:
      return null;
  }
}

/** null for what is no message of this protocol. */
export function readFromTaker(message: unknown): FromTaker | null {
  if (!isRecord(message)) return null;
  const { type, protocol, version, reasons, text } = message;
  switch (type) {
    case 'hello':
      return isCount(protocol) && typeof version === 'string' ? { type, protocol, version } : null;
    case 'waiting':
      return Array.isArray(reasons) ? { type, reasons: reasons.map(String) } : null;
    case 'ready':
    case 'taken':
    case 'announced':
      return { type };
    case 'words':
      return typeof text === 'string' ? { type, text } : null;
    default:
      return null;
  }
}

function isOffer(message: Readonly<Record<string, unknown>>): message is typeof message & HandoverOffer {
  const { protocol, version, pid, sockets, nextConnectionId, done, failed } = message;
  return (
    [protocol, pid, nextConnectionId, done, failed].every(isCount) &&
    typeof version === 'string' &&
    Array.isArray(sockets) &&
    sockets.every(isSocket)
  );
}

function isSocket(value: unknown): value is ListeningSocket {
  if (!isRecord(value)) return false;
  const { use, host, port, path, fd, identity } = value;
  return (
    USES.has(use) &&
    typeof host === 'string' &&
    isCount(port) &&
    (path === null || typeof path === 'string') &&
    isCount(fd) &&
    typeof identity === 'string'
  );
}

const STATUSES: ReadonlySet<unknown> = new Set(['ONLINE', 'OFFLINE_SOFT', 'OFFLINE_HARD']);

function isAdministered(value: unknown): value is readonly AdministeredServer[] {
  return (
    Array.isArray(value) &&
    value.every((one) => isRecord(one) && typeof one.address === 'string' && STATUSES.has(one.status))
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
