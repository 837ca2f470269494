/** The figures at the top: what goes through, how fast, and for whom. */
import type { OverviewValue } from '../../api/api-values.ts';
import { h, setAttribute, setText } from './dom.ts';
import { count, millis, percent, rate } from './format.ts';
import type { TrafficHistory } from './traffic-history.ts';

interface Tile {
  readonly title: string;
  readonly value: (history: TrafficHistory, overview: OverviewValue) => string;
  readonly note: (history: TrafficHistory, overview: OverviewValue) => string;
  readonly isBad?: (history: TrafficHistory, overview: OverviewValue) => boolean;
}

function replicaPart(history: TrafficHistory): number | null {
  const onReplica = history.recent('replicaReads', 10);
  const onPrimary = history.recent('primaryReads', 10);
  if (onReplica === null || onPrimary === null || onReplica + onPrimary === 0) return null;
  return onReplica / (onReplica + onPrimary);
}

const TILES: readonly Tile[] = [
  {
    title: 'Statements per second',
    value: (history) => rate(history.recent('statements')),
    note: (_history, { statements }) => `${count(statements)} since the start`,
  },
  {
    title: 'Latency, p99',
    value: (history) => millis(history.recent('p99')),
    note: (history) => `median ${millis(history.recent('p50'))}`,
  },
  {
    title: 'Reads on replicas',
    value: (history) => percent(replicaPart(history)),
    note: (history) => `${rate(history.recent('writes'))} writes/s`,
  },
  {
    title: 'Clients',
    value: (_history, { clients }) => count(clients),
    note: (_history, { maxClients, pinnedSessions }) =>
      `of ${count(maxClients)} · ${count(pinnedSessions)} pinned`,
    isBad: (_history, { clients, maxClients }) => clients >= maxClients * 0.9,
  },
  {
    title: 'Server connections in use',
    value: (history) => count(history.recent('serverConnectionsInUse', 1)),
    note: (history) =>
      `${count(history.recent('serverConnections', 1))} open · ${rate(history.recent('waits'))} waits/s`,
  },
  {
    title: 'Own errors per second',
    value: (history) => rate(history.recent('errors')),
    note: () => 'sent by Sluice itself',
    isBad: (history) => (history.recent('errors') ?? 0) > 0,
  },
];

export class FigureTiles {
  readonly element: HTMLElement;
  readonly #tiles = TILES.map((tile) => {
    const value = h('dd', { class: 'tile-value' }, '–');
    const note = h('dd', { class: 'muted small' });
    return {
      tile,
      value,
      note,
      element: h('div', { class: 'card tile' }, h('dt', {}, tile.title), value, note),
    };
  });

  constructor() {
    this.element = h('dl', { class: 'tiles' }, ...this.#tiles.map(({ element }) => element));
  }

  update(history: TrafficHistory, overview: OverviewValue): void {
    for (const { tile, value, note } of this.#tiles) {
      setText(value, tile.value(history, overview));
      setText(note, tile.note(history, overview));
      const isBad = tile.isBad?.(history, overview) ?? false;
      setAttribute(value, 'class', isBad ? 'tile-value bad-text' : 'tile-value');
    }
  }
}
