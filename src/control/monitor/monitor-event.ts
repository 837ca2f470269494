/** What the monitor reports: a closed set of kinds with typed fields, one ordered list for log, admin and tests. */

import type { ServerAddress } from '../../topology/server-description.ts';
import type { TopologyEvent } from '../../topology/topology-event.ts';
import type { FailoverEvent } from '../failover/failover-event.ts';
import type { OperationEvent } from '../failover/operation-event.ts';
import type { HandoverEvent } from '../handover/handover-event.ts';
import type { FollowerEvent } from './binlog-follower-event.ts';

export type MonitorEventBody =
  | TopologyEvent
  | OperationEvent
  | FailoverEvent
  | FollowerEvent
  | HandoverEvent
  | {
      /** An address that replication named, but that was not added; said again only for another reason. */
      readonly kind: 'discovery-rejected';
      readonly address: ServerAddress;
      /** The server that named it. */
      readonly via: ServerAddress;
      readonly reason: string;
    }
  | {
      /** A server could not be asked for its replicas. */
      readonly kind: 'discovery-failed';
      readonly address: ServerAddress;
      readonly reason: string;
    }
  | {
      /** Heartbeats are written on the primary, or, with a reason, cannot be. */
      readonly kind: 'heartbeat-changed';
      readonly address: ServerAddress;
      readonly ok: boolean;
      /** Empty when ok. */
      readonly reason: string;
    }
  | {
      /** The monitor's account lacks what something needs that is switched on. */
      readonly kind: 'privilege-missing';
      /** With commas. */
      readonly addresses: string;
      /** The statement that gives it. */
      readonly grant: string;
      /** What does not work without. */
      readonly without: string;
    }
  | { readonly kind: 'privilege-granted'; readonly grant: string }
  | {
      readonly kind: 'catalog-changed';
      readonly complete: boolean;
      /** Empty when complete. */
      readonly reason: string;
      readonly views: number;
      readonly unsafeViews: number;
      /** Why it is not known which tables belong together; empty when it is. */
      readonly tablesReason: string;
    }
  | {
      /** The accounts of the primary were read and are others than before, or could not be read. */
      readonly kind: 'accounts-changed';
      /** Whether the last reading succeeded. */
      readonly ok: boolean;
      /** Empty when ok. */
      readonly reason: string;
      /** That are known, from the last good reading. */
      readonly accounts: number;
      /** Of these, with no plugin that Sluice can check. */
      readonly unusable: number;
    };

export type MonitorEventKind = MonitorEventBody['kind'];

export type MonitorEvent = MonitorEventBody & {
  /** 1 for the first; no gaps, so that a reader sees what it missed. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
};

/** The last so many events. */
export class EventRing {
  readonly #capacity: number;
  readonly #events: MonitorEvent[] = [];
  #sequence = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(body: MonitorEventBody, atMs: number): MonitorEvent {
    const event: MonitorEvent = Object.freeze({ ...body, sequence: ++this.#sequence, atMs });
    this.#events.push(event);
    if (this.#events.length > this.#capacity) this.#events.shift();
    return event;
  }

  /** Oldest first. */
  list(): readonly MonitorEvent[] {
    return [...this.#events];
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** An operator reads `warn` and above: what takes a server out of service, or leaves a question open. */
export function levelOf(event: MonitorEventBody): LogLevel {
  switch (event.kind) {
    case 'status-changed':
      return event.to === 'SHUNNED' ? 'warn' : 'info';
    case 'primary-changed':
      return event.to === null ? 'error' : 'info';
    case 'replication-changed':
      return event.running ? 'info' : 'warn';
    case 'lag-changed':
      return event.lagging ? 'warn' : 'info';
    case 'two-primaries':
    case 'primary-dead':
    case 'failover-refused':
    case 'server-kept-out':
    case 'handover-failed':
      return 'error';
    case 'primary-suspected':
    case 'server-fenced':
    case 'transactions-left':
      return 'warn';
    case 'agreement-changed':
      return event.to === 'lost' ? 'warn' : 'info';
    case 'operation-waits':
    case 'privilege-missing':
    case 'check-failed':
    case 'duplicate-server':
    case 'server-replaced':
    case 'discovery-rejected':
    case 'discovery-failed':
      return 'warn';
    case 'server-removed':
      return event.reason === 'unreachable' ? 'warn' : 'info';
    case 'binlog-follower-changed':
      return event.to === 'suspended' ? 'warn' : 'info';
    case 'catalog-changed':
      return event.complete && event.tablesReason === '' ? 'info' : 'warn';
    case 'heartbeat-changed':
    case 'accounts-changed':
    case 'operation-step':
      return event.ok ? 'info' : 'warn';
    case 'operation-ended':
      return event.outcome === 'done' ? 'info' : event.outcome === 'undone' ? 'warn' : 'error';
    default:
      return 'info';
  }
}
