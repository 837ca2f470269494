/** The state of a server: a colour, a shape and a word, so that none of them is needed alone. */
import { h } from './dom.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'idle';

const TONES: Readonly<Record<string, Tone>> = {
  ONLINE: 'good',
  SHUNNED: 'bad',
  OFFLINE_SOFT: 'warn',
  OFFLINE_HARD: 'idle',
};

export function toneOf(status: string): Tone {
  return TONES[status] ?? 'idle';
}

export function badge(text: string, tone: Tone): HTMLElement {
  return h('span', { class: `badge ${tone}` }, text);
}

const TARGET_TONES: Readonly<Record<string, string>> = {
  replica: 'target-replica',
  primary: 'target-primary',
  sluice: 'target-sluice',
};

/** Where a statement goes, and why. */
export function route(target: string, reason: string): HTMLElement {
  return h(
    'span',
    { class: 'route' },
    h('span', { class: `target ${TARGET_TONES[target] ?? ''}` }, target === '' ? '–' : target),
    h('span', { class: 'muted small' }, reason),
  );
}
