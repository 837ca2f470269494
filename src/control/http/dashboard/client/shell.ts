/** The frame around the views: who and what this is, whether it is well, and where one can go. */
import type { MeValue, OverviewValue } from '../../api/api-values.ts';
import { h, setAttribute, setText } from './dom.ts';
import { age } from './format.ts';
import { currentTheme, type Theme } from './theme.ts';
import type { View } from './view.ts';

export interface ShellOptions {
  readonly me: MeValue;
  readonly views: readonly View[];
  readonly switchTheme: () => void;
  readonly togglePause: () => void;
  readonly showKeys: () => void;
  readonly logout: () => void;
}

const THEME_TITLES: Readonly<Record<Theme, string>> = {
  system: 'Theme: system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

export class Shell {
  readonly element: HTMLElement;
  readonly #links = new Map<string, HTMLAnchorElement>();
  readonly #state = h('span', { class: 'badge idle' }, 'connecting');
  readonly #uptime = h('span', { class: 'muted small' });
  readonly #banner = h('div', { class: 'banner', role: 'alert', hidden: true });
  readonly #outage = h('div', { class: 'banner', role: 'status', hidden: true });
  readonly #content: HTMLElement;
  readonly #theme: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  #isStale = false;

  constructor(options: ShellOptions) {
    const { me, views } = options;
    this.#theme = button('', options.switchTheme);
    this.#pause = button('Pause', options.togglePause);
    this.showTheme();
    const links = views.map(({ name, title }) => this.#link(name, title));
    this.#content = h('main', { id: 'content', tabindex: -1 }, ...views.map(({ element }) => element));
    this.element = h(
      'div',
      { class: 'shell' },
      h(
        'header',
        { class: 'top' },
        h(
          'h1',
          { class: 'brand' },
          h('img', { src: '/assets/icon.svg', alt: '', width: 26, height: 26 }),
          'Sluice',
        ),
        h('span', { class: 'muted instance' }, location.host),
        this.#state,
        this.#uptime,
        h(
          'div',
          { class: 'top-actions' },
          this.#pause,
          this.#theme,
          button('Keys', options.showKeys, 'keys-button'),
          h('span', { class: 'who' }, me.username, h('span', { class: 'muted' }, ` · ${me.role}`)),
          button('Log out', options.logout),
        ),
      ),
      h('nav', { class: 'tabs', 'aria-label': 'Views' }, h('ul', {}, ...links)),
      this.#outage,
      this.#banner,
      this.#content,
      h('div', { id: 'notices', role: 'status', 'aria-live': 'polite' }),
      h('footer', { class: 'muted small' }, `Sluice ${me.version}`),
    );
  }

  /** @param isMoved by the person, so that the focus goes along. */
  showView(name: string, isMoved: boolean): void {
    for (const [key, link] of this.#links) setAttribute(link, 'aria-current', key === name ? 'page' : null);
    // On a narrow page the tabs may be scrolled.
    this.#links.get(name)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (isMoved) this.#content.focus({ preventScroll: true });
  }

  update(overview: OverviewValue): void {
    this.#setStale(false);
    this.#outage.hidden = true;
    const { ready, notReady, servers, startedAtMs, timeMs } = overview;
    setText(this.#state, ready ? 'ready' : 'not ready');
    setAttribute(this.#state, 'class', `badge ${ready ? 'good' : 'bad'}`);
    setText(this.#uptime, `up ${age(timeMs - startedAtMs)}`);
    const sentences = notReady.map((reason) => sentenceOf(reason));
    const shunned = servers.filter(({ status }) => status === 'SHUNNED').map(({ address }) => address);
    if (ready && shunned.length > 0) sentences.push(`Shunned: ${shunned.join(', ')}.`);
    setAttribute(this.#banner, 'class', `banner ${ready ? 'warn' : 'bad'}`);
    setText(this.#banner, sentences.join(' '));
    this.#banner.hidden = sentences.length === 0;
  }

  /** Nothing has come; what is shown grows old. */
  showOutage(message: string, lastMs: number | null, retryMs: number): void {
    this.#setStale(true);
    setText(this.#state, 'no answer');
    setAttribute(this.#state, 'class', 'badge bad');
    const shown = lastMs === null ? '' : ` Shown is what was known ${age(Date.now() - lastMs)} ago.`;
    setAttribute(this.#outage, 'class', 'banner bad');
    setText(this.#outage, `${message}.${shown} Asked again in ${age(retryMs)}.`);
    this.#outage.hidden = false;
  }

  showTheme(): void {
    setText(this.#theme, THEME_TITLES[currentTheme()]);
  }

  showPause(isPaused: boolean): void {
    setText(this.#pause, isPaused ? 'Resume' : 'Pause');
    setAttribute(this.#pause, 'aria-pressed', String(isPaused));
  }

  #setStale(isStale: boolean): void {
    if (this.#isStale === isStale) return;
    this.#isStale = isStale;
    this.#content.classList.toggle('stale', isStale);
  }

  #link(name: string, title: string): HTMLElement {
    const link = h('a', { href: `#/${name}` }, title);
    this.#links.set(name, link);
    return h('li', {}, link);
  }
}

function button(text: string, run: () => void, kind = ''): HTMLButtonElement {
  return h('button', { type: 'button', class: `button quiet ${kind}`, on: { click: run } }, text);
}

function sentenceOf(reason: string): string {
  if (reason === 'no primary is known')
    return 'No primary: writes wait, and fail after limits.noServerWaitMs. Reads go on from replicas.';
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
