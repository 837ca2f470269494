/** Shortcuts: single keys, as long as nobody writes and no dialog is open. */
import { openDialog } from './dialogs.ts';
import { h } from './dom.ts';

export interface Shortcut {
  readonly key: string;
  readonly title: string;
  readonly run: () => void;
}

export function listenForShortcuts(shortcuts: readonly Shortcut[]): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { target } = event;
    const isWriting =
      target instanceof Element && target.matches('input, textarea, select, [contenteditable]');
    if (isWriting) {
      // Out of a filter again.
      if (event.key === 'Escape' && target instanceof HTMLInputElement) target.blur();
      return;
    }
    if (document.querySelector('dialog[open]') !== null) return;
    const shortcut = shortcuts.find(({ key }) => key === event.key);
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.run();
  });
}

export function showShortcuts(shortcuts: readonly Shortcut[]): void {
  const close = h('button', { type: 'button', class: 'button', autofocus: true }, 'Close');
  const items = shortcuts.map(({ key, title }) =>
    h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, title)),
  );
  const dialog = openDialog('Keys', [h('dl', { class: 'keys' }, ...items)], [close]);
  close.addEventListener('click', () => dialog.close());
}
