/** What happened to the servers, newest first. */
import type { AdminEvent } from '../../admin/admin-state.ts';
import { addressOf, detailOf } from '../../admin/commands/show-events.ts';
import { levelOf, type MonitorEventBody } from '../../monitor/monitor-event.ts';
import type { EventsValue } from './api-values.ts';

const MOST_EVENTS = 300;

export function eventsOf(events: readonly AdminEvent[]): EventsValue {
  return {
    timeMs: Date.now(),
    events: events
      .slice(-MOST_EVENTS)
      .toReversed()
      .map((event) => ({
        sequence: event.sequence,
        timeMs: event.atMs,
        kind: event.kind,
        address: addressOf(event),
        detail: detailOf(event),
        level: levelOf(event as unknown as MonitorEventBody),
      })),
  };
}
