/** The servers: the primary, what follows it, and what is neither, each with its state and what goes through it. */
import type { OverviewValue, ServerValue } from '../../api/api-values.ts';
import { ask } from './dialogs.ts';
import { type Child, h, setPart } from './dom.ts';
import { count, exact, millis, rate, serverVersion } from './format.ts';
import { badge, toneOf } from './state-badge.ts';
import type { ViewContext } from './view.ts';

/** Words that say more than ProxySQL's own. */
const STATES: Readonly<Record<string, string>> = {
  OFFLINE_SOFT: 'OFFLINE_SOFT, drained',
};

interface Card {
  readonly element: HTMLElement;
  /** What it shows, as text: it is made again when this changes. */
  signature: string;
}

export class ServerCards {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #primary = h('div', { class: 'tier' });
  readonly #replicas = h('div', { class: 'tier replicas' });
  readonly #others = h('div', { class: 'tier others' });
  readonly #cards = new Map<string, Card>();

  constructor(context: ViewContext) {
    this.#context = context;
    this.element = h(
      'section',
      { 'aria-labelledby': 'servers-title', class: 'topology' },
      h('h2', { id: 'servers-title' }, 'Servers'),
      h('div', { class: 'tiers' }, this.#primary, this.#replicas),
      this.#others,
    );
  }

  update({ servers, primary }: OverviewValue): void {
    const isReplica = ({ role, address }: ServerValue) => role === 'replica' && address !== primary;
    const groups = [
      [this.#primary, servers.filter(({ address }) => address === primary)],
      [this.#replicas, servers.filter(isReplica)],
      [this.#others, servers.filter((one) => one.address !== primary && !isReplica(one))],
    ] as const;
    for (const [tier, members] of groups) {
      const cards = members.map((server) => this.#card(server, primary));
      if (tier === this.#primary && cards.length === 0) cards.push(noPrimary());
      if (cards.some((card, index) => tier.children[index] !== card) || tier.children.length !== cards.length)
        tier.replaceChildren(...cards);
      tier.hidden = cards.length === 0;
    }
    const known = new Set(servers.map(({ address }) => address));
    for (const address of [...this.#cards.keys()]) if (!known.has(address)) this.#cards.delete(address);
  }

  #card(server: ServerValue, primary: string | null): HTMLElement {
    const { address } = server;
    const signature = JSON.stringify([server, primary]);
    let card = this.#cards.get(address);
    if (card === undefined) {
      card = { element: h('article', { class: 'card server' }), signature: '' };
      this.#cards.set(address, card);
    }
    if (card.signature === signature) return card.element;
    card.signature = signature;
    const { element } = card;
    const hadFocus = element.contains(document.activeElement);
    element.className = `card server ${toneOf(server.status)}`;
    element.setAttribute('aria-label', `${server.role} ${address}, ${server.status}`);
    element.dataset.address = address;
    element.replaceChildren(...this.#content(server, primary).filter((child) => child !== null));
    if (hadFocus) element.querySelector('button')?.focus({ preventScroll: true });
    return element;
  }

  #content(server: ServerValue, primary: string | null): Child[] {
    const { address, role, status, reason, version, source, isDiscovered } = server;
    const origin = isDiscovered ? 'found by itself' : '';
    const follows = source !== null && source !== primary ? `follows ${source}` : '';
    const notes = [serverVersion(version), follows, origin].filter((text) => text !== '');
    return [
      h(
        'header',
        {},
        h('h3', {}, role === 'unknown' ? 'role not known' : role),
        badge(STATES[status] ?? status, toneOf(status)),
      ),
      h('p', { class: 'mono address' }, address),
      h('p', { class: 'muted small' }, notes.join(' · ')),
      reason === '' ? null : h('p', { class: 'server-reason small' }, reason),
      figures(server),
      this.#context.isAdmin ? this.#actions(server, primary) : null,
    ];
  }

  #actions(server: ServerValue, primary: string | null): HTMLElement {
    const { role, status, address } = server;
    const canLead = role === 'replica' && status === 'ONLINE' && primary !== null && address !== primary;
    const lead = canLead ? this.#leadAction(address, primary) : null;
    return h('div', { class: 'server-actions' }, this.#drainAction(server, primary), lead);
  }

  #leadAction(address: string, primary: string): HTMLElement {
    const run = (): void =>
      ask({
        title: 'Make this replica the primary?',
        text: [
          h('p', { class: 'mono' }, address),
          h('p', {}, `Clients wait for a moment, and get no error. ${primary} becomes its replica.`),
          h('p', { class: 'muted' }, 'If it cannot be done in time, everything stays as it is.'),
        ],
        action: 'Switch over',
        isDangerous: true,
        run: () => this.#done(this.#context.api.switchover(address)),
      });
    return h(
      'button',
      {
        type: 'button',
        class: 'button small',
        'aria-label': `Make primary ${address}`,
        on: { click: run },
      },
      'Make primary…',
    );
  }

  #drainAction(server: ServerValue, primary: string | null): HTMLElement {
    const { address, status } = server;
    const isDrained = status === 'OFFLINE_SOFT';
    const title = isDrained ? 'Undrain' : 'Drain';
    const run = (): void => (isDrained ? this.#undrain(address) : this.#drain(server, address === primary));
    return h(
      'button',
      {
        type: 'button',
        class: 'button small',
        disabled: status === 'OFFLINE_HARD',
        'aria-label': `${title} ${address}`,
        on: { click: run },
      },
      `${title}…`,
    );
  }

  #drain({ address, role, inUse }: ServerValue, isPrimary: boolean): void {
    const effect = isPrimary
      ? 'This is the primary: every write waits, and fails after limits.noServerWaitMs, until it is undrained.'
      : 'It gets no new statements. Transactions and statements that run there may finish.';
    ask({
      title: isPrimary ? 'Drain the primary?' : `Drain this ${role}?`,
      text: [
        h('p', { class: 'mono' }, address),
        h('p', { class: isPrimary ? 'bad-text' : null }, effect),
        h(
          'p',
          { class: 'muted' },
          `${exact(inUse)} of its connections ${inUse === 1 ? 'is' : 'are'} in use now.`,
        ),
      ],
      action: 'Drain',
      isDangerous: isPrimary,
      run: () => this.#done(this.#context.api.drain(address)),
    });
  }

  #undrain(address: string): void {
    ask({
      title: 'Use this server again?',
      text: [
        h('p', { class: 'mono' }, address),
        h('p', {}, 'It gets statements as soon as its checks are good.'),
      ],
      action: 'Undrain',
      run: () => this.#done(this.#context.api.undrain(address)),
    });
  }

  async #done(action: Promise<{ readonly message: string }>): Promise<string> {
    const { message } = await action;
    this.#context.refresh();
    return message;
  }
}

function noPrimary(): HTMLElement {
  return h(
    'article',
    { class: 'card server missing' },
    h('h3', {}, 'no primary'),
    h('p', { class: 'muted' }, 'No server takes writes: none is writable, or none of those answers.'),
  );
}

function figures(server: ServerValue): HTMLElement {
  const { statementsPerSecond, connections, inUse, maxConnections, connectErrors } = server;
  const limit = maxConnections === 0 ? '' : ` of ${count(maxConnections)}`;
  const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
  setPart(bar, maxConnections === 0 ? 0 : inUse / maxConnections);
  const items: [string, Child[]][] = [
    ['Statements/s', [rate(statementsPerSecond)]],
    ['In use', [`${exact(inUse)}${limit}`, maxConnections === 0 ? null : bar]],
    ['Open', [exact(connections)]],
    ...lag(server),
  ];
  if (connectErrors > 0) items.push(['Failed connects', [count(connectErrors)]]);
  return h(
    'dl',
    { class: 'server-figures' },
    ...items.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, ...value))),
  );
}

function lag({ role, lagMs, maxLagMs, replicationRunning }: ServerValue): [string, Child[]][] {
  if (role !== 'replica') return [];
  if (replicationRunning === false) return [['Replication', [h('span', { class: 'bad-text' }, 'stopped')]]];
  const isLate = maxLagMs > 0 && lagMs !== null && lagMs > maxLagMs;
  const limit = maxLagMs > 0 ? ` of ${millis(maxLagMs)}` : '';
  return [
    [
      'Lag',
      [h('span', { class: isLate ? 'bad-text' : null }, `${lagMs === 0 ? '0 ms' : millis(lagMs)}${limit}`)],
    ],
  ];
}
