/** Questions before something is done, and words about how it went. */
import { type Child, h } from './dom.ts';

export interface Question {
  readonly title: string;
  readonly text: readonly Child[];
  /** What the button says: a verb. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Done when it is confirmed; the dialog stays open while it runs, and shows why it could not be done. */
  readonly run: () => Promise<string>;
}

let dialogs = 0;

/** The browser keeps the focus inside, and gives it back; Escape is "no". */
export function openDialog(
  title: string,
  content: readonly Child[],
  buttons: readonly HTMLElement[],
  kind = '',
): HTMLDialogElement {
  const id = `dialog-${++dialogs}`;
  const heading = h('h2', { id, class: 'dialog-title' }, title);
  const body = h('div', { class: 'dialog-body' }, ...content);
  const dialog = h(
    'dialog',
    { class: `dialog ${kind}`, 'aria-labelledby': id },
    heading,
    body,
    h('div', { class: 'dialog-buttons' }, ...buttons),
  );
  dialog.addEventListener('close', () => dialog.remove());
  // A click beside it; the dialog itself covers nothing but its content.
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target === dialog && isOutside(dialog, event)) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function isOutside(dialog: HTMLDialogElement, { clientX, clientY }: PointerEvent): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

export function ask(question: Question): void {
  const { title, text, action, isDangerous = false, run } = question;
  const problem = h('p', { class: 'dialog-problem', role: 'alert', hidden: true });
  const cancel = h('button', { type: 'button', class: 'button', autofocus: true }, 'Cancel');
  const confirm = h(
    'button',
    { type: 'button', class: `button primary${isDangerous ? ' danger' : ''}` },
    action,
  );
  const dialog = openDialog(title, [...text, problem], [cancel, confirm]);
  cancel.addEventListener('click', () => dialog.close());
  confirm.addEventListener('click', async () => {
    confirm.disabled = true;
    try {
      const message = await run();
      dialog.close();
      notify(message);
    } catch (error) {
      problem.textContent = (error as Error).message;
      problem.hidden = false;
      confirm.disabled = false;
    }
  });
}

const NOTICE_MS = 6000;

/** In the place that screen readers listen to. */
export function notify(message: string, kind: 'good' | 'bad' = 'good'): void {
  const notices = document.querySelector('#notices');
  const notice = h('p', { class: `notice ${kind}` }, message);
  notices?.append(notice);
  setTimeout(() => notice.remove(), NOTICE_MS);
}
