/** Puts the dashboard together: who looks, which views there are, and when they are told something new. */
import type { OverviewValue } from '../../api/api-values.ts';
import { Api } from './api.ts';
import { h } from './dom.ts';
import { EventsView } from './events-view.ts';
import { listenForShortcuts, type Shortcut, showShortcuts } from './keyboard.ts';
import { OverviewView } from './overview-view.ts';
import { Poller } from './poller.ts';
import { RulesView } from './rules-view.ts';
import { SessionsView } from './sessions-view.ts';
import { Shell } from './shell.ts';
import { StatementsView } from './statements-view.ts';
import { applyTheme, switchTheme } from './theme.ts';
import type { View, ViewContext } from './view.ts';

const INTERVAL_MS = 1000;

class Dashboard {
  readonly #views: readonly View[];
  readonly #shell: Shell;
  readonly #poller: Poller;
  readonly #api: Api;
  #shown: View | null = null;
  #isPaused = false;
  #lastMs: number | null = null;

  constructor(api: Api, me: ViewContext['me']) {
    this.#api = api;
    const context: ViewContext = {
      api,
      me,
      isAdmin: me.role === 'admin',
      refresh: () => {
        this.#poller.now();
        this.#shown?.refresh();
      },
      go: (view) => location.assign(`#/${view}`),
    };
    this.#views = [
      new OverviewView(context),
      new StatementsView(context),
      new SessionsView(context),
      new RulesView(context),
      new EventsView(context),
    ];
    const shortcuts = this.#shortcuts();
    this.#shell = new Shell({
      me,
      views: this.#views,
      switchTheme: () => this.#switchTheme(),
      togglePause: () => this.#togglePause(),
      showKeys: () => showShortcuts(shortcuts),
      logout: () => void api.logout(),
    });
    this.#poller = new Poller({
      intervalMs: INTERVAL_MS,
      ask: () => this.#ask(),
      failed: (error, retryMs) => this.#shell.showOutage((error as Error).message, this.#lastMs, retryMs),
    });
    listenForShortcuts(shortcuts);
  }

  start(root: Element): void {
    root.replaceChildren(this.#shell.element);
    addEventListener('hashchange', () => this.#follow(true));
    this.#follow(false);
    this.#poller.start();
  }

  async #ask(): Promise<void> {
    const overview = await this.#api.get<OverviewValue>('/api/overview');
    this.#lastMs = Date.now();
    this.#shell.update(overview);
    for (const view of this.#views) view.update(overview);
  }

  #follow(isMoved: boolean): void {
    const name = location.hash.replace(/^#\//, '');
    const view = this.#views.find((one) => one.name === name) ?? this.#views[0];
    if (view === undefined || view === this.#shown) return;
    this.#shown?.hide();
    this.#shown = view;
    for (const one of this.#views) one.element.hidden = one !== view;
    document.title = `${view.title} · Sluice ${location.host}`;
    this.#shell.showView(view.name, isMoved);
    view.pause(this.#isPaused);
    view.show();
  }

  #switchTheme(): void {
    switchTheme();
    this.#shell.showTheme();
  }

  #togglePause(): void {
    this.#isPaused = !this.#isPaused;
    this.#poller.pause(this.#isPaused);
    this.#shown?.pause(this.#isPaused);
    this.#shell.showPause(this.#isPaused);
  }

  #shortcuts(): Shortcut[] {
    const views = this.#views.map(({ name, title }, index) => ({
      key: String(index + 1),
      title,
      run: () => location.assign(`#/${name}`),
    }));
    const shortcuts: Shortcut[] = [
      ...views,
      { key: '/', title: 'Filter', run: () => this.#shown?.filter?.focus() },
      { key: 'p', title: 'Pause, or resume', run: () => this.#togglePause() },
      { key: 't', title: 'Next theme', run: () => this.#switchTheme() },
      { key: '?', title: 'Keys', run: () => showShortcuts(shortcuts) },
    ];
    return shortcuts;
  }
}

async function start(root: Element): Promise<void> {
  applyTheme();
  const api = new Api();
  try {
    const me = await api.me();
    new Dashboard(api, me).start(root);
  } catch (error) {
    root.replaceChildren(
      h('p', { class: 'no-script', role: 'alert' }, `${(error as Error).message}. Reload to try again.`),
    );
  }
}

const root = document.querySelector('#app');
if (root !== null) void start(root);
