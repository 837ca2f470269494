/** EXPLAIN ROUTE: of a statement in a list, or of one that somebody writes. */
import type { StatementValue } from '../../api/api-values.ts';
import type { Api } from './api.ts';
import { openDialog } from './dialogs.ts';
import { h } from './dom.ts';
import { exact, micros } from './format.ts';
import { route } from './state-badge.ts';

const IMPORTANT: ReadonlySet<string> = new Set(['target', 'reason', 'proven_read', 'class_reason']);

export class ExplainDialog {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  open(of: StatementValue | null): void {
    const statement = h('textarea', {
      id: 'explain-statement',
      rows: 5,
      spellcheck: 'false',
      autocomplete: 'off',
      placeholder: 'SELECT …',
    });
    const schema = h('input', { id: 'explain-schema', placeholder: 'none', spellcheck: 'false' });
    statement.value = of?.text ?? '';
    schema.value = of?.schema ?? '';
    const result = h('div', { class: 'explain-result', 'aria-live': 'polite' });
    const explain = h('button', { type: 'button', class: 'button primary' }, 'Explain');
    const close = h('button', { type: 'button', class: 'button' }, 'Close');
    const run = (): void => void this.#run(statement.value, schema.value, result);
    explain.addEventListener('click', run);
    statement.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
    });
    const dialog = openDialog(
      of === null ? 'Where would a statement go?' : 'Where this statement goes, and why',
      [
        of === null ? null : facts(of),
        h('label', { for: statement.id }, 'Statement'),
        statement,
        h('label', { for: schema.id }, 'Schema'),
        schema,
        h(
          'p',
          { class: 'muted small' },
          'As a session that has just begun would send it. Transactions, pins and a write just before can make a difference.',
        ),
        result,
      ],
      [close, explain],
      'wide',
    );
    close.addEventListener('click', () => dialog.close());
    if (of !== null) run();
  }

  async #run(statement: string, schema: string, result: HTMLElement): Promise<void> {
    try {
      const { steps } = await this.#api.explain(statement, schema === '' ? null : schema);
      const rows = steps.map(({ step, value }) =>
        h(
          'div',
          { class: IMPORTANT.has(step) ? 'important' : null },
          h('dt', {}, step.replaceAll('_', ' ')),
          h('dd', {}, value === '' ? '–' : value),
        ),
      );
      const valueAt = (wanted: string) => steps.find(({ step }) => step === wanted)?.value ?? '';
      const verdict = h('p', { class: 'verdict' }, route(valueAt('target'), valueAt('reason')));
      result.replaceChildren(h('h3', {}, 'EXPLAIN ROUTE'), verdict, h('dl', { class: 'steps' }, ...rows));
    } catch (error) {
      result.replaceChildren(h('p', { class: 'dialog-problem', role: 'alert' }, (error as Error).message));
    }
  }
}

function facts({
  target,
  reason,
  count,
  errors,
  totalMicros,
  p95Micros,
  maxMicros,
}: StatementValue): HTMLElement {
  const items = [
    ['Last went to', target],
    ['Reason', reason],
    ['Count', exact(count)],
    ['Errors', exact(errors)],
    ['Mean', micros(totalMicros / count)],
    ['p95', micros(p95Micros)],
    ['Longest', micros(maxMicros)],
  ] as const;
  return h(
    'dl',
    { class: 'facts' },
    ...items.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}
