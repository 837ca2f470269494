/** What the views that show one value of the API have in common: it is asked for while they are shown, and drawn anew. */
import type { OverviewValue } from '../../api/api-values.ts';
import { Poller } from './poller.ts';
import type { View, ViewContext } from './view.ts';

export abstract class PolledView<Value> implements View {
  abstract readonly name: string;
  abstract readonly title: string;
  abstract readonly element: HTMLElement;
  abstract readonly filter: HTMLInputElement;
  protected readonly context: ViewContext;
  readonly #poller: Poller;
  #value: Value | null = null;

  /** @param path of the API */
  constructor(context: ViewContext, path: string, intervalMs: number) {
    this.context = context;
    this.#poller = new Poller({
      intervalMs,
      ask: async () => {
        this.#value = await context.api.get<Value>(path);
        this.redraw();
      },
    });
  }

  protected abstract draw(value: Value): void;

  /** What is shown of it is another part now. */
  protected redraw(): void {
    if (this.#value !== null) this.draw(this.#value);
  }

  show(): void {
    this.#poller.start();
  }

  hide(): void {
    this.#poller.stop();
  }

  pause(isPaused: boolean): void {
    this.#poller.pause(isPaused);
  }

  refresh(): void {
    this.#poller.now();
  }

  update(_overview: OverviewValue): void {}
}
