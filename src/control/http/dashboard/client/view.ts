/** A page of the dashboard, and what all of them may use. */
import type { MeValue, OverviewValue } from '../../api/api-values.ts';
import type { Api } from './api.ts';

export interface ViewContext {
  readonly api: Api;
  readonly me: MeValue;
  /** Whether this person may change something. */
  readonly isAdmin: boolean;
  /** Asks for everything that is shown again, at once. */
  readonly refresh: () => void;
  /** Goes to another view, with a filter set there. */
  readonly go: (view: string, filter?: string) => void;
}

export interface View {
  readonly name: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** What `/` puts the cursor into; null where there is nothing to filter. */
  readonly filter: HTMLInputElement | null;
  show(): void;
  hide(): void;
  /** Only while it is shown: not more live data, or some again. */
  pause(isPaused: boolean): void;
  refresh(): void;
  /** The first page's data, which every view gets. */
  update(overview: OverviewValue): void;
}
