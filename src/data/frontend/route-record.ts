/** What the ring knows of a statement, in words: for operators, the slow-query log, and traces. */

import { CommandName } from '../../../protocol/index.ts';
import type { RouteRecord } from '../../common/inspection.ts';
import { digestName, digestText } from '../../sql/digest-text.ts';
import { pinsOf, RouteReason } from '../../sql/route-reason.ts';
import { type RingEntry, RingFlag } from '../router/route-ring.ts';

const MAX_TEXT_BYTES = 2048;

export function routeRecord(
  entry: RingEntry,
  worker: number,
  sequence: number,
  digests: Digests,
): RouteRecord {
  const { flags, route, statement, normalized, server } = entry;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const hasRows = has(RingFlag.resultSet);
  return {
    worker,
    sequence,
    timeMs: wallClock(entry.beganAtMs),
    connectionId: entry.connectionId,
    username: entry.username,
    client: entry.client,
    schema: entry.schema,
    command: CommandName.get(entry.command) ?? String(entry.command),
    target: route?.target ?? '',
    reason: route?.reason ?? '',
    classReason: statement?.reason ?? '',
    detail:
      route?.reason === RouteReason.pinned ? pinsOf(entry.pinsBefore).join(', ') : (statement?.detail ?? ''),
    rules: entry.verdict.rules.map(({ ruleId }) => ruleId),
    hostgroup: server === null ? null : entry.hostgroup,
    server,
    serverThreadId: server === null ? null : entry.serverThreadId,
    connection: connectionKind(entry),
    aligned: has(RingFlag.aligned),
    reprepared: has(RingFlag.reprepared),
    attempts: entry.attempts,
    waitMicros: Math.round(entry.waitMs * 1000),
    durationMicros: Math.round((entry.endedAtMs - entry.beganAtMs) * 1000),
    rowsSent: hasRows ? entry.rows : null,
    rowsAffected: hasRows ? null : entry.rows,
    bytes: entry.bytes,
    errno: entry.errno,
    abandoned: has(RingFlag.abandoned),
    pins: pinsOf(entry.pinsAfter),
    digest: digests.nameOf(normalized),
    digestText: digests.textOf(normalized),
  };
}

function connectionKind({ flags, server }: RingEntry): string {
  if (server === null) return '';
  if ((flags & RingFlag.held) !== 0) return 'held';
  if ((flags & RingFlag.previous) !== 0) return 'previous';
  return (flags & RingFlag.pipelined) !== 0 ? 'pipelined' : 'own';
}

export function wallClock(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}

/** Texts and names of digests, each made once for an answer. */
export class Digests {
  readonly #maxBytes: number;
  readonly #texts = new WeakMap<Buffer, string>();
  readonly #names = new WeakMap<Buffer, string>();

  /** @param maxBytes what is longer is cut. */
  constructor(maxBytes = MAX_TEXT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  textOf(normalized: Buffer | null): string {
    if (normalized === null) return '';
    let text = this.#texts.get(normalized);
    if (text === undefined) {
      text = digestText(normalized, this.#maxBytes);
      this.#texts.set(normalized, text);
    }
    return text;
  }

  nameOf(normalized: Buffer | null): string {
    if (normalized === null) return '';
    let name = this.#names.get(normalized);
    if (name === undefined) {
      name = digestName(normalized);
      this.#names.set(normalized, name);
    }
    return name;
  }
}
